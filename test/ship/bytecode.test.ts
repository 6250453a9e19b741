import { createHash } from 'node:crypto';
import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeBytecode } from '../../scripts/make-bytecode.ts';

let work: string;
let build: string;
beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), 'pannier-bytecode-'));
  const [file = ''] = (await readdir('dist')).filter((name) => name.startsWith('main-'));
  build = file.split('-')[1] ?? '';
});
afterAll(() => rm(work, { recursive: true, force: true }));

/** The hash of each script's bytecode, made anew: a line each. */
async function make(name: string): Promise<string> {
  const dist = join(work, name);
  await cp('dist', dist, { recursive: true, filter: (path) => !path.endsWith('.bytecode') });
  await makeBytecode(dist, build);
  const files = (await readdir(dist)).filter((file) => file.endsWith('.bytecode')).sort();
  const hash = async (file: string) =>
    createHash('sha256')
      .update(await readFile(join(dist, file)))
      .digest('hex');
  return (await Promise.all(files.map(async (file) => `${file} ${await hash(file)}`))).join('\n');
}

describe('bytecode', () => {
  it('of two builds is the same', { timeout: 240_000 }, async () => {
    // A machine that stands still for seconds in the wrong moment runs a function more; hence two of four.
    const seen: string[] = [];
    for (let round = 0; round < 4; round++) {
      const made = await make(`${round}`);
      expect(made.split('\n').length).toBeGreaterThan(8);
      if (seen.includes(made)) return;
      seen.push(made);
    }
    expect(seen[0]).toBe(seen[1]);
  });
});
