import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { makeFolders } from '../../base/make-folders.ts';
import { printableLines } from '../../base/printable.ts';
import { Releases } from '../../base/releases.ts';

/**
 * What the demo runs on: a private directory, child processes, and the terminal. Disposing of it removes all of them.
 */
export interface Stage extends AsyncDisposable {
  readonly dir: string;
  /** Prints a numbered step. */
  step(text: string): void;
  /** Prints indented text under the step. */
  show(text: string): void;
  /** Starts a child whose lines are shown as `name: line`. It is stopped when the stage is disposed of. */
  start(name: string, argv: readonly string[], options?: StartOptions): DemoProcess;
  /** Writes a file (0600) into `dir`. */
  write(name: string, text: string): Promise<string>;
}

export interface StartOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Shows no lines of the child. */
  readonly quiet?: boolean;
}

export interface DemoProcess {
  readonly pid: number;
  /** Resolves when a line of the child matches; rejects when it ends first or after `withinMs`. */
  waitForLine(pattern: RegExp, withinMs?: number): Promise<string>;
  /** Exit status, or -1 when a signal ended it. */
  readonly ended: Promise<number>;
  stop(): Promise<void>;
}

const TMPFS = 0x01021994;

/** Makes the directory on tmpfs (`/dev/shm`) where there is one, otherwise in the temporary directory. */
export async function openStage(): Promise<Stage> {
  const isShm = await statfs('/dev/shm')
    .then(({ type }) => type === TMPFS)
    .catch(() => false);
  const dir = await mkdtemp(join(isShm ? '/dev/shm' : tmpdir(), 'pannier-demo-'));
  const releases = new Releases();
  releases.push(() => rm(dir, { recursive: true, force: true }));
  let steps = 0;
  return {
    dir,
    step: (text) => print(`\n${++steps}. ${text}`),
    show: (text) => print(text.replace(/^/gm, '   ')),
    start(name, argv, options = {}) {
      const child = startProcess(name, argv, options);
      releases.push(() => child.stop());
      return child;
    },
    async write(name, text) {
      const path = join(dir, name);
      await makeFolders(join(path, '..'));
      await writeFile(path, text, { mode: 0o600 });
      return path;
    },
    [Symbol.asyncDispose]: () => releases.releaseAll(),
  };
}

function print(text: string): void {
  process.stdout.write(`${printableLines(text)}\n`);
}

function startProcess(name: string, argv: readonly string[], { env = {}, quiet = false }: StartOptions): DemoProcess {
  const [program = '', ...rest] = argv;
  const path = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' };
  const child = spawn(program, rest, { env: { ...path, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  const notice = () => {
    for (const look of [...waiting]) look();
  };
  let hasEnded = false;
  const ended = new Promise<number>((resolve) => {
    child.once('error', () => resolve(127));
    child.once('close', (status) => resolve(status ?? -1));
  }).finally(() => {
    hasEnded = true;
    notice();
  });
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      if (!quiet) print(`   ${name}: ${line}`);
      notice();
    });
  }
  return {
    pid: child.pid ?? -1,
    ended,
    waitForLine: (pattern, withinMs = 20_000) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const line = lines.find((printed) => pattern.test(printed));
          if (line === undefined && !hasEnded) return;
          clearTimeout(timer);
          waiting.delete(look);
          if (line === undefined) reject(new Error(`${name} ended without a line that matches ${pattern}`));
          else resolve(line);
        };
        const timer = setTimeout(() => {
          waiting.delete(look);
          reject(new Error(`${name} printed no line that matches ${pattern} within ${withinMs / 1000} s`));
        }, withinMs);
        waiting.add(look);
        look();
      }),
    stop: () => stop(child, ended),
  };
}

/** SIGTERM, and SIGKILL after three seconds. */
async function stop(child: ChildProcess, ended: Promise<number>): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 3_000);
  await ended;
  clearTimeout(timer);
}
