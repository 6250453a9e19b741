import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { chmod, copyFile, cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { parseArgs, promisify } from 'node:util';
import { createGzip } from 'node:zlib';
import { provenanceOf } from './provenance.ts';
import { type BillOfMaterials, program } from './sbom.ts';

/**
 * `npm run release [FOLDER]` makes what is published of a version, in `build/release`: the npm package, an archive with
 * the executable, a bill of materials for each, the provenance, which is not signed, and SHA256SUMS. The same commit
 * gives the same bytes. Times in archives are SOURCE_DATE_EPOCH, or that of the commit.
 *
 * `--tag vX.Y.Z` refuses what must not be published under that tag. `--uncommitted` allows changes that are not
 * committed; the provenance then says so.
 */
const run = promisify(execFile);

interface Manifest {
  readonly version: string;
  readonly private?: boolean;
  readonly repository?: unknown;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { tag: { type: 'string' }, uncommitted: { type: 'boolean', default: false } },
});
const [folder = 'build/release'] = positionals;
const manifest = JSON.parse(await readFile('package.json', 'utf8')) as Manifest;
const { version } = manifest;
const platform = `${process.platform}-${process.arch}`;
const hasChanges = (await git('status', '--porcelain')) !== '';

const problems = await findProblems();
if (problems.length > 0) {
  process.stderr.write(`nothing was made:\n${problems.map((problem) => `- ${problem}\n`).join('')}`);
  process.exit(1);
}

const commit = await git('rev-parse', 'HEAD');
const epoch = Number(process.env['SOURCE_DATE_EPOCH'] ?? (await git('log', '-1', '--format=%ct')));
const work = await mkdtemp(join(tmpdir(), 'pannier-release-'));
try {
  const made = join(work, 'made');
  await mkdir(made);
  await run('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', made]);
  await copyFile('dist/sbom.cdx.json', join(made, `pannier-${version}.sbom.cdx.json`));
  await makeExecutable(made, `pannier-${version}-${platform}`);
  const origin = {
    version,
    commit,
    hasChanges,
    epoch,
    platform,
    lockFile: await sha256('package-lock.json'),
    node: { version: process.versions.node, sha256: await sha256(process.execPath) },
  };
  const statement = provenanceOf(await sumsOf(made), origin, process.env);
  await writeFile(join(made, `pannier-${version}.provenance.json`), `${JSON.stringify(statement, null, 1)}\n`);
  const sums = [...(await sumsOf(made))].map(([name, sum]) => `${sum}  ${name}\n`);
  await writeFile(join(made, 'SHA256SUMS'), sums.join(''));

  await rm(folder, { recursive: true, force: true });
  await mkdir(dirname(folder), { recursive: true });
  await cp(made, folder, { recursive: true });
  process.stdout.write(`${folder}:\n${sums.join('')}the provenance is not signed: see docs/releasing.md\n`);
} finally {
  await rm(work, { recursive: true, force: true });
}

/** All reasons against a release, of which each says what to do. */
async function findProblems(): Promise<readonly string[]> {
  const found: string[] = [];
  if (hasChanges && !values.uncommitted) {
    found.push('there are changes that are not committed: commit them, or allow them with --uncommitted');
  }
  if (values.tag === undefined) return found;
  if (values.tag !== `v${version}`) {
    found.push(`the tag is ${values.tag}, and the version of package.json is ${version}: they must be the same`);
  }
  if (!(await readFile('CHANGELOG.md', 'utf8')).includes(`\n## ${version}\n`)) {
    found.push(`CHANGELOG.md has no section ${version}: rename Unreleased`);
  }
  if (manifest.private === true) found.push('package.json says private, which npm does not publish: take it out');
  if (manifest.repository === undefined) {
    found.push('package.json has no repository, which npm checks the provenance against: add its address');
  }
  return found;
}

/** An archive with the executable, the texts that its licences require, the manual page, and its bill of materials. */
async function makeExecutable(made: string, name: string): Promise<void> {
  const inside = join(work, name);
  await mkdir(inside);
  await run(process.execPath, ['scripts/sea.ts', join(inside, 'pannier')]);
  const notices = {
    LICENSE: 'LICENSE',
    'third-party.txt': 'dist/third-party.txt',
    'node.txt': `node_modules/node/node_modules/node-${platform}/LICENSE`,
    'pannier.1': 'dist/pannier.1',
  };
  for (const [file, source] of Object.entries(notices)) {
    await copyFile(source, join(inside, file));
    await chmod(join(inside, file), 0o644);
  }
  const bundle = JSON.parse(await readFile('dist/sbom.cdx.json', 'utf8')) as BillOfMaterials;
  const components = [...bundle.components, program('node', process.versions.node, 'MIT')];
  const bill = `${JSON.stringify({ ...bundle, components }, null, 1)}\n`;
  await writeFile(join(inside, 'sbom.cdx.json'), bill, { mode: 0o644 });
  await writeFile(join(made, `${name}.sbom.cdx.json`), bill, { mode: 0o644 });

  const archive = join(made, `${name}.tar`);
  const same = ['--sort=name', `--mtime=@${epoch}`, '--owner=0', '--group=0', '--numeric-owner', '--format=ustar'];
  await run('tar', [...same, '--mode=go-w', '--create', '--file', archive, '--directory', work, name]);
  // By Node, whose zlib the lock file pins. It writes no time into the header.
  await pipeline(createReadStream(archive), createGzip(), createWriteStream(`${archive}.gz.new`));
  await rename(`${archive}.gz.new`, `${archive}.gz`);
  await rm(archive);
}

/** SHA-256 of each file of a folder, by name, sorted. */
async function sumsOf(dir: string): Promise<ReadonlyMap<string, string>> {
  const names = (await readdir(dir)).sort();
  return new Map(await Promise.all(names.map(async (name) => [name, await sha256(join(dir, name))] as const)));
}

async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

/** @throws outside of a clone, since a release without a commit says nothing about its source. */
async function git(...args: readonly string[]): Promise<string> {
  const { stdout } = await run('git', args, { maxBuffer: 2 ** 26 }).catch((error: Error) => {
    throw new Error(`a release is made in a clone with git: ${error.message}`);
  });
  return stdout.trim();
}
