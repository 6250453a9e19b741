/** Installs packages that read Pannier's files in tests, once, into `.cache/`, which git ignores. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheDir } from '../../servers/cache.ts';

export const run = promisify(execFile);

/** The directory of an npm package of this version. */
export async function npmPackage(name: string, version: string): Promise<string> {
  const dir = join(cacheDir, `${name}-${version}`);
  await install(dir, (to) => run('npm', ['install', '--silent', '--no-save', '--prefix', to, `${name}@${version}`]));
  return dir;
}

/** The directory of a Python package of this version, for `sys.path`; `needs` are the packages it imports. */
export async function pythonPackage(name: string, version: string, ...needs: readonly string[]): Promise<string> {
  const dir = join(cacheDir, `${name}-${version}`);
  const pip = ['-m', 'pip', 'install', '--quiet', '--no-deps', '--target'];
  await install(dir, (to) => run('python3', [...pip, to, `${name}==${version}`, ...needs]));
  return dir;
}

/** Fills a temporary directory and renames it, so that the directory is always complete. */
export async function install(dir: string, fill: (to: string) => Promise<unknown>): Promise<void> {
  if (existsSync(dir)) return;
  const work = `${dir}.${process.pid}`;
  try {
    await fill(work);
    await rename(work, dir).catch((error: unknown) => {
      if (!existsSync(dir)) throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Writes files for a program to read, and removes them afterwards. */
export async function withPaths<T>(
  files: readonly (string | Uint8Array)[],
  use: (paths: readonly string[]) => Promise<T>,
): Promise<T> {
  const dir = await mkdtemp(join(tmpdir(), 'pannier-formats-'));
  try {
    const paths = files.map((_, i) => join(dir, `${i}`));
    for (const [i, content] of files.entries()) await writeFile(paths[i] as string, content);
    return await use(paths);
  } finally {
    await rm(dir, { recursive: true });
  }
}

/** Parses the output of a program that prints one JSON text per line. */
export const jsonLines = <T>(stdout: string): T[] =>
  stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);

/** Makes each reader; `missing` says why some could not be made. */
export async function whatIsHere<T>(
  makers: Readonly<Record<string, () => Promise<T>>>,
): Promise<{ readonly here: readonly T[]; readonly missing: readonly string[] }> {
  const here: T[] = [];
  const missing: string[] = [];
  for (const [name, make] of Object.entries(makers)) {
    await make().then(
      (made) => here.push(made),
      (error: Error) => missing.push(`${name}: ${error.message}`),
    );
  }
  return { here, missing };
}
