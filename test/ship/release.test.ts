import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Origin, provenanceOf } from '../../scripts/provenance.ts';
import { provenanceProblems } from '../examples/schemas.ts';

const run = promisify(execFile);
const EPOCH = 1_700_000_000;
const PLATFORM = `${process.platform}-${process.arch}`;

let work: string;
let version: string;
const made = (...names: readonly string[]) => join(work, ...names);

/** Runs the script as on a machine that is no workflow. The working tree of a developer may have changes. */
async function release(folder: string, ...options: readonly string[]): Promise<string> {
  const env = { PATH: process.env['PATH'] ?? '', HOME: work, SOURCE_DATE_EPOCH: `${EPOCH}` };
  const argv = ['scripts/release.ts', made(folder), '--uncommitted', ...options];
  const { stdout } = await run(process.execPath, argv, { env });
  return stdout;
}

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), 'pannier-release-'));
  version = (JSON.parse(await readFile('package.json', 'utf8')) as { version: string }).version;
  await run(process.execPath, ['scripts/types.ts']);
  await release('one');
}, 240_000);
afterAll(() => rm(work, { recursive: true, force: true }));

describe('npm run release', () => {
  it('makes the package, the executable, their bills of materials, the provenance and the sums', async () => {
    const names = ['.sbom.cdx.json', '.provenance.json', '.tgz', `-${PLATFORM}.sbom.cdx.json`, `-${PLATFORM}.tar.gz`];
    expect(await readdir(made('one'))).toEqual(
      ['SHA256SUMS', ...names.map((name) => `pannier-${version}${name}`)].sort(),
    );
    await run('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd: made('one') });
    const page = await readFile('docs/releasing.md', 'utf8');
    for (const name of ['SHA256SUMS', ...names.map((one) => `pannier-VERSION${one.replace(PLATFORM, 'PLATFORM')}`)]) {
      expect(page).toContain(`\`${name}\``);
    }
  });

  it('gives the same bytes again, and says that the provenance is not signed', { timeout: 240_000 }, async () => {
    expect(await release('two')).toContain('the provenance is not signed: see docs/releasing.md');
    const [one, two] = await Promise.all(['one', 'two'].map((name) => readFile(made(name, 'SHA256SUMS'), 'utf8')));
    expect(two).toBe(one);
  });

  it('the archive has the executable with the licences, and no trace of the machine', async () => {
    const archive = made('one', `pannier-${version}-${PLATFORM}.tar.gz`);
    const folder = `pannier-${version}-${PLATFORM}`;
    const { stdout } = await run('tar', ['--list', '--verbose', '--utc', '--full-time', '--file', archive]);
    const lines = stdout.trim().split('\n');
    for (const line of lines) expect(line).toMatch(/ 0\/0 +\d+ 2023-11-14 22:13:20 /);
    const inside = ['', 'LICENSE', 'node.txt', 'pannier', 'pannier.1', 'sbom.cdx.json', 'third-party.txt'];
    expect(lines.map((line) => line.split(' ').at(-1))).toEqual(inside.map((name) => `${folder}/${name}`));
    await run('tar', ['--extract', '--file', archive, '--directory', work]);
    expect((await run(made(folder, 'pannier'), ['--version'])).stdout).toBe(`${version}\n`);
  });

  it('the bill of materials of the executable has Node too', async () => {
    const bills = ['', `-${PLATFORM}`].map((suffix) => made('one', `pannier-${version}${suffix}.sbom.cdx.json`));
    const [bundle, whole] = await Promise.all(bills.map(async (bill) => JSON.parse(await readFile(bill, 'utf8'))));
    const node = { name: 'node', version: process.versions.node, type: 'application' };
    expect(whole.components).toEqual([...bundle.components, expect.objectContaining(node)]);
  });

  it('the provenance names every file by its hash, and what they were made of', { timeout: 120_000 }, async () => {
    const statement = JSON.parse(await readFile(made('one', `pannier-${version}.provenance.json`), 'utf8'));
    expect(await provenanceProblems(statement)).toEqual([]);
    expect(await provenanceProblems({ ...statement, subject: [] })).not.toEqual([]);
    const sums = (await readFile(made('one', 'SHA256SUMS'), 'utf8')).trim().split('\n');
    const files = sums.map((line) => line.split('  ')).filter(([, name]) => !name?.includes('provenance'));
    expect(statement.subject).toEqual(files.map(([sha256, name]) => ({ name, digest: { sha256 } })));
    const { buildDefinition, runDetails } = statement.predicate;
    const { stdout: commit } = await run('git', ['rev-parse', 'HEAD']);
    expect(buildDefinition.resolvedDependencies[0]).toEqual({ name: 'source', digest: { gitCommit: commit.trim() } });
    expect(buildDefinition.internalParameters).toEqual({ sourceDateEpoch: EPOCH, platform: PLATFORM });
    expect(runDetails).toEqual({ builder: { id: 'https://pannier.dev/release/v1/own-machine' } });
  });

  it('names all reasons at once against publishing under a tag, and makes nothing', async () => {
    const error = await release('three', '--tag', 'v99.0.0').catch((reason: { stderr: string }) => reason.stderr);
    expect(error).toMatch(/^nothing was made:\n/);
    expect(error).toContain(`- the tag is v99.0.0, and the version of package.json is ${version}: `);
    const manifest = JSON.parse(await readFile('package.json', 'utf8')) as object;
    expect(String(error).includes('- package.json says private')).toBe('private' in manifest);
    expect(String(error).includes('- package.json has no repository')).toBe(!('repository' in manifest));
    await expect(readdir(made('three'))).rejects.toThrow('ENOENT');
  });
});

describe('the provenance', () => {
  const origin: Origin = {
    ...{ version: '1.2.3', commit: 'c0ffee', hasChanges: false, epoch: EPOCH, platform: 'linux-x64', lockFile: 'ab' },
    node: { version: '24.21.0', sha256: 'cd' },
  };
  const files = new Map([['pannier-1.2.3.tgz', 'ef']]);

  it('in a workflow names the repository and the workflow', () => {
    const env = {
      GITHUB_SERVER_URL: 'https://github.com',
      GITHUB_REPOSITORY: 'shop/pannier',
      GITHUB_WORKFLOW_REF: 'shop/pannier/.github/workflows/release.yaml@refs/tags/v1.2.3',
    };
    const { buildDefinition, runDetails } = provenanceOf(files, origin, env).predicate;
    expect(buildDefinition.resolvedDependencies[0]?.uri).toBe('git+https://github.com/shop/pannier@c0ffee');
    expect(runDetails.builder.id).toBe(`https://github.com/${env.GITHUB_WORKFLOW_REF}`);
  });

  it('says when there were changes that the commit does not have', () => {
    const parameters = (hasChanges: boolean) =>
      provenanceOf(files, { ...origin, hasChanges }, {}).predicate.buildDefinition.externalParameters;
    expect(parameters(false)).toEqual({ version: '1.2.3' });
    expect(parameters(true)).toEqual({ version: '1.2.3', uncommittedChanges: true });
  });
});
