/** What the tests of the file sink share: a scratch directory, an output, and functions that read the disk. */
import { spawn, spawnSync } from 'node:child_process';
import {
  accessSync,
  chmodSync,
  constants,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statfsSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { afterEach } from 'vitest';
import type { Clock } from '../../../src/base/clock.ts';
import { PannierError } from '../../../src/base/errors.ts';
import type { FileConfig, OutputConfig } from '../../../src/config/config.ts';
import { createFileSink } from '../../../src/deliver/file/file-sink.ts';
import type { Sink } from '../../../src/deliver/sink.ts';
import { FakeClock } from '../../fake-clock.ts';

export const isRoot = process.geteuid?.() === 0;

/** /dev/shm where it is a tmpfs, as the volumes of most users are; otherwise the system's temporary directory. */
export function scratchRoot(): string {
  try {
    accessSync('/dev/shm', constants.W_OK);
    if (statfsSync('/dev/shm').type === 0x01021994) return '/dev/shm';
  } catch {
    // there is no /dev/shm
  }
  return tmpdir();
}

/** Makes directories that every user may enter, and removes them after each test of the file. */
export function useScratch(root = scratchRoot()): () => string {
  const made: string[] = [];
  afterEach(() => {
    for (const dir of made.splice(0)) rmSync(dir, { recursive: true, force: true });
  });
  return () => {
    const dir = mkdtempSync(join(root, 'pannier-test-'));
    chmodSync(dir, 0o755);
    made.push(dir);
    return dir;
  };
}

type Changes = Partial<Omit<OutputConfig, 'files'>> & {
  readonly files?: Readonly<Record<string, Partial<FileConfig>>>;
};

export function outputIn(dir: string, { files = {}, ...changes }: Changes = {}): OutputConfig {
  const configured = Object.entries(files).map(([name, own]): [string, FileConfig] => {
    return [name, { place: `outputs.shop.files["${name}"]`, content: { kind: 'content', text: '' }, ...own }];
  });
  return {
    name: 'shop',
    dir,
    mode: 0o400,
    requireTmpfs: false,
    quietMs: 10,
    maxWaitMs: 1000,
    reloadOnFirst: false,
    reload: [],
    files: new Map(configured),
    ...changes,
  };
}

export async function openSink(output: OutputConfig, clock: Clock = new FakeClock(Date.now())): Promise<Sink> {
  const sink = createFileSink(output, clock);
  await sink.recover();
  return sink;
}

export function bytesOf(files: Readonly<Record<string, string>>): Map<string, Uint8Array> {
  return new Map(Object.entries(files).map(([name, text]) => [name, Buffer.from(text)]));
}

/** Stages and commits; throws when the sink answers `equal`. */
export async function publish(sink: Sink, files: Readonly<Record<string, string>>) {
  const staged = await sink.stage(bytesOf(files));
  if (typeof staged === 'string') throw new Error('expected a change');
  return staged.commit();
}

/** The code of the failure a promise ends with, and its text; `resolved` when there is none. */
export async function failureOf(call: Promise<unknown>): Promise<{ code: string; text: string }> {
  try {
    await call;
    return { code: 'resolved', text: '' };
  } catch (error) {
    if (error instanceof PannierError) return { code: error.failure.code, text: error.message };
    throw error;
  }
}

/** Every entry with its type and permissions: `app.env -> ..data/app.env`, `..g1/ 700`, `..g1/app.env 400`. */
export function listTree(dir: string, below = ''): string[] {
  return readdirSync(join(dir, below), { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const name = below === '' ? entry.name : `${below}/${entry.name}`;
      if (entry.isSymbolicLink()) return [`${name} -> ${readlinkSync(join(dir, name))}`];
      const mode = (lstatSync(join(dir, name)).mode & 0o7777).toString(8);
      return entry.isDirectory() ? [`${name}/ ${mode}`, ...listTree(dir, name)] : [`${name} ${mode}`];
    });
}

export function read(...path: readonly string[]): string {
  return readFileSync(join(...path), 'utf8');
}

export const program = (name: string): string => new URL(`../../fixtures/programs/${name}`, import.meta.url).pathname;

interface Run {
  readonly uid?: number;
  readonly gid?: number;
  /** The umask of the program, which `sh` sets before it starts. */
  readonly umask?: string;
}

/** Runs a fixture program to its end and gives the JSON it prints. */
export function runProgram(name: string, argument: unknown, { umask, ...ids }: Run = {}): unknown {
  const argv = [process.execPath, '--no-warnings', program(name), JSON.stringify(argument)];
  const shell = ['sh', '-c', `umask ${umask}; exec "$@"`, 'sh', ...argv];
  const [command, ...rest] = umask === undefined ? argv : shell;
  const done = spawnSync(command as string, rest, { encoding: 'utf8', cwd: '/', ...ids });
  if (done.status !== 0) throw new Error(`${name} ended with ${done.status ?? done.signal}: ${done.stderr}`);
  return JSON.parse(done.stdout);
}

/**
 * Bundles a fixture program into one file. That starts in a quarter of the time, which matters when it is started
 * hundreds of times.
 */
export function bundle(name: string, into: string): string {
  const outfile = join(into, `${name}.mjs`);
  buildSync({
    entryPoints: [program(name)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'error',
  });
  return outfile;
}

export function startProgram(path: string, argument: unknown) {
  return spawn(process.execPath, ['--no-warnings', path, JSON.stringify(argument)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
}

/** Whether another user can run the fixture programs: the checkout may lie in a private directory. */
export function othersCanRun(): boolean {
  if (!isRoot) return false;
  const tried = spawnSync(process.execPath, ['--no-warnings', program('read-files.ts'), '[]'], {
    uid: 65534,
    gid: 65534,
    cwd: '/',
  });
  return tried.status === 0;
}
