import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** A line of the agent's JSON log. */
export type LogLine = { readonly fact: string; readonly level: string; readonly time: string } & Record<
  string,
  unknown
>;

export interface Agent {
  readonly pid: number;
  /** What the agent printed so far, on both streams. */
  output(): string;
  stderr(): string;
  stdout(): string;
  /** The log lines so far. */
  lines(): readonly LogLine[];
  /** When one of these lines came, by `performance.now()`: the agent's own clock may be another one. */
  arrivedMs(line: LogLine): number;
  facts(kind: string): readonly LogLine[];
  /** Resolves with the first line (or the `count`-th) of that kind that `fits`; rejects when the agent ends first. */
  waitFor(kind: string, options?: WaitOptions): Promise<LogLine>;
  kill(signal: NodeJS.Signals): void;
  /** Exit status, or 128+n when a signal ended it. */
  readonly ended: Promise<number>;
  /** Sends SIGTERM, and SIGKILL after ten seconds; resolves with the exit status. */
  stop(): Promise<number>;
}

export interface WaitOptions {
  readonly fits?: (line: LogLine) => boolean;
  readonly count?: number;
  readonly withinMs?: number;
}

export interface AgentOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly uid?: number;
  readonly gid?: number;
  /** Words before `node pannier.js`, of a program that starts it in its own process. */
  readonly under?: readonly string[];
}

const BIN = resolve('dist/pannier.js');
const SIGNALS: Readonly<Record<string, number>> = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 };

/** Starts the built `pannier` as a process of its own, with a bare environment. */
export function startAgent(args: readonly string[], { env = {}, cwd, uid, gid, under = [] }: AgentOptions = {}): Agent {
  const [program = '', ...words] = [...under, process.execPath, BIN, ...args];
  const child = spawn(program, words, {
    env: { PATH: '/usr/bin:/bin', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(cwd === undefined ? {} : { cwd }),
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
  });
  const text = { out: '', err: '', rest: '' };
  const lines: LogLine[] = [];
  const arrivals = new WeakMap<LogLine, number>();
  const checks = new Set<() => void>();
  let hasEnded = false;
  const checkAll = () => {
    for (const check of [...checks]) check();
  };
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text.out += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    text.err += chunk;
    const parts = (text.rest + chunk).split('\n');
    text.rest = parts.pop() ?? '';
    for (const part of parts) {
      if (!part.startsWith('{')) continue;
      const line = JSON.parse(part) as LogLine;
      arrivals.set(line, performance.now());
      lines.push(line);
    }
    checkAll();
  });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const ended = new Promise<number>((done, failed) => {
    child.once('error', failed);
    child.once('close', (status, signal) => done(status ?? 128 + (SIGNALS[signal ?? ''] ?? 0)));
  }).finally(() => {
    hasEnded = true;
    process.off('exit', kill);
    checkAll();
  });
  const facts = (kind: string) => lines.filter(({ fact }) => fact === kind);
  return {
    pid: child.pid ?? -1,
    output: () => text.out + text.err,
    stdout: () => text.out,
    stderr: () => text.err,
    lines: () => lines,
    arrivedMs: (line) => arrivals.get(line) ?? Number.NaN,
    facts,
    ended,
    kill: (signal) => void child.kill(signal),
    waitFor: (kind, { fits = () => true, count = 1, withinMs = 20_000 } = {}) =>
      new Promise((done, failed) => {
        const check = () => {
          const line = facts(kind).filter(fits)[count - 1];
          if (line === undefined && !hasEnded) return;
          clearTimeout(timer);
          checks.delete(check);
          if (line !== undefined) done(line);
          else failed(new Error(`the agent ended without "${kind}":\n${text.out}${text.err}`));
        };
        const timer = setTimeout(() => {
          checks.delete(check);
          failed(new Error(`no "${kind}" within ${withinMs} ms:\n${text.err.slice(-4_000)}`));
        }, withinMs);
        checks.add(check);
        check();
      }),
    async stop() {
      child.kill('SIGTERM');
      const timer = setTimeout(kill, 10_000);
      const status = await ended;
      clearTimeout(timer);
      return status;
    },
  };
}

/** Runs a command to its end. */
export async function runAgent(args: readonly string[], options?: AgentOptions): Promise<Agent & { status: number }> {
  const agent = startAgent(args, options);
  return { ...agent, status: await agent.ended };
}

export interface Place extends AsyncDisposable {
  readonly dir: string;
  /** Writes a configuration (as JSON) and resolves to its path. */
  config(config: object, name?: string): Promise<string>;
}

/** A private directory, on tmpfs where there is one. */
export async function createPlace(): Promise<Place> {
  const isShm = await statfs('/dev/shm')
    .then(({ type }) => type === 0x01021994)
    .catch(() => false);
  const dir = await mkdtemp(join(isShm ? '/dev/shm' : tmpdir(), 'pannier-test-'));
  return {
    dir,
    async config(config, name = 'pannier.json') {
      const path = join(dir, name);
      await writeFile(path, JSON.stringify({ version: 1, ...config }));
      return path;
    },
    [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }),
  };
}

/** Repeats `check` until it does not throw; rejects after `withinMs` with its last error. */
export async function eventually<T>(check: () => T | Promise<T>, withinMs = 20_000): Promise<T> {
  const end = performance.now() + withinMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/** Whether a process runs; a zombie, which process 1 has not reaped, has ended. */
export function isRunning(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}
