import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Releases } from '../../base/releases.ts';

/** Where the demo plays: a private directory of its own, children that end with it, and a voice. */
export interface Stage extends AsyncDisposable {
  readonly dir: string;
  /** A numbered step in the terminal. */
  step(text: string): void;
  /** Indented text under the step. */
  show(text: string): void;
  /** Starts a child whose lines are shown as `name: line`. It is stopped when the stage is disposed of. */
  start(name: string, argv: readonly string[], options?: StartOptions): DemoProcess;
  /** Writes a file (0600) into `dir`. */
  write(name: string, text: string): Promise<string>;
}

export interface StartOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly quiet?: boolean;
}

export interface DemoProcess {
  readonly pid: number;
  /** Resolves when a line of the child matches; rejects when it ends first or after `withinMs`. */
  says(what: RegExp, withinMs?: number): Promise<string>;
  /** Exit status, or -1 when a signal ended it. */
  readonly ended: Promise<number>;
  stop(): Promise<void>;
}

const TMPFS = 0x01021994;

/** Opens the stage on tmpfs where there is one (`/dev/shm`), in the temporary directory elsewhere. */
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
    step: (text) => say(`\n${++steps}. ${text}`),
    show: (text) => say(text.replace(/^/gm, '   ')),
    start(name, argv, options = {}) {
      const actor = startActor(name, argv, options);
      releases.push(() => actor.stop());
      return actor;
    },
    async write(name, text) {
      const path = join(dir, name);
      await mkdir(join(path, '..'), { recursive: true });
      await writeFile(path, text, { mode: 0o600 });
      return path;
    },
    [Symbol.asyncDispose]: () => releases.releaseAll(),
  };
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function startActor(name: string, argv: readonly string[], { env = {}, quiet = false }: StartOptions): DemoProcess {
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
      if (!quiet) say(`   ${name}: ${line}`);
      notice();
    });
  }
  return {
    pid: child.pid ?? -1,
    ended,
    says: (what, withinMs = 20_000) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const line = lines.find((said) => what.test(said));
          if (line === undefined && !hasEnded) return;
          clearTimeout(timer);
          waiting.delete(look);
          if (line === undefined) reject(new Error(`${name} ended without saying ${what}`));
          else resolve(line);
        };
        const timer = setTimeout(() => {
          waiting.delete(look);
          reject(new Error(`${name} did not say ${what} within ${withinMs / 1000} s`));
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
