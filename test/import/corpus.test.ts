import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { type ComparedRender, compareRenders } from '../../src/import/compare/compare.ts';
import { convertConfig } from '../../src/import/convert-config.ts';
import { formatProblem } from '../../src/import/problem.ts';
import { readConfigs } from '../../src/import/read-config.ts';
import { ensureOpenBao } from '../servers/cache.ts';
import { type OpenBao, startOpenBao } from '../servers/openbao.ts';
import { enableKv } from '../servers/openbao-engines.ts';
import { CORPUS, STORED } from './corpus.ts';

let bao: OpenBao;
let dir: string;
let renders: ReadonlyMap<string, ComparedRender>;
let problems: readonly string[];

beforeAll(async () => {
  bao = await startOpenBao();
  await enableKv(bao, 'secret', 2);
  await enableKv(bao, 'legacy', 1);
  for (const [path, fields] of Object.entries(STORED)) {
    await bao.api('POST', path, path.startsWith('secret/') ? { data: fields } : fields);
  }
  dir = await mkdtemp(join(tmpdir(), 'pannier-corpus-'));
  await writeFile(join(dir, 'token'), bao.rootToken, { mode: 0o600 });
  const template = CORPUS.map(({ name, template: contents, left, right }) => ({
    contents,
    destination: join(dir, 'out', fileOf(name), 'file'),
    left_delimiter: left,
    right_delimiter: right,
  }));
  const auth = { method: [{ type: 'token_file', config: [{ token_file_path: join(dir, 'token') }] }] };
  const file = join(dir, 'agent.json');
  await writeFile(file, JSON.stringify({ vault: { address: bao.address }, auto_auth: auth, template }));
  const read = await readConfigs([file], async () => new Uint8Array());
  if ('unreadable' in read) throw new Error(read.unreadable.map(formatProblem).join('\n'));
  const options = { readSource: async () => ({ problem: 'none' }), sink: false, keepsCredentials: true };
  const imported = await convertConfig(read.items, [file], { ...options, templatesBeside: false });
  problems = imported.problems.map(formatProblem);
  const env = { ...process.env, CORPUS_APP: 'app' };
  const compared = await compareRenders(read.items, imported, {
    program: await ensureOpenBao(),
    env,
    timeoutMs: 60_000,
    context: { clock: systemClock, random: () => 0.5, emit: () => {}, env, version: 'test' },
    cwd: dir,
    signal: new AbortController().signal,
  });
  renders = new Map(compared.renders.map((one) => [one.name, one]));
});

afterAll(async () => {
  await bao?.stop();
  await rm(dir, { recursive: true, force: true });
});

const fileOf = (name: string): string => name.replace(/[^a-z0-9]+/gi, '-');

const text = (bytes: Uint8Array | undefined): string | undefined =>
  bytes === undefined ? undefined : Buffer.from(bytes).toString('utf8');

describe('a corpus of Go templates, rendered by a real agent and by Pannier', () => {
  it('has the shapes of sixty templates or more, of which 95 in 100 give the same bytes', () => {
    const same = CORPUS.filter(({ differs }) => differs === undefined);
    expect(CORPUS.length).toBeGreaterThanOrEqual(60);
    expect(same.length / CORPUS.length).toBeGreaterThanOrEqual(0.95);
  });

  it('is converted without a problem', () => {
    expect(problems).toEqual([]);
  });

  it('gives the same bytes but for the templates that are named', () => {
    const different = CORPUS.filter(({ name }) => {
      const found = renders.get(join(dir, 'out', fileOf(name), 'file'));
      return found?.theirs === undefined || text(found.ours) !== text(found.theirs);
    });
    expect(different.map(({ name }) => name)).toEqual(CORPUS.filter(({ differs }) => differs).map(({ name }) => name));
  });

  it.each(CORPUS)('$name', ({ name, differs }) => {
    const found = renders.get(join(dir, 'out', fileOf(name), 'file'));
    expect(text(found?.theirs)).toBeDefined();
    if (differs === undefined) expect(text(found?.ours)).toBe(text(found?.theirs));
    else expect(text(found?.ours)).not.toBe(text(found?.theirs));
  });
});
