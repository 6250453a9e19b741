import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { ensureOpenBao, type World } from '../servers/index.ts';
import type { Written } from './contenders.ts';

/** Agents that stay, and a directory on tmpfs for them; all of it goes with the stage. */
export interface Stage extends AsyncDisposable {
  readonly dir: string;
  baoAgent(written: Written): Promise<Resident>;
  pannier(written: Written): Promise<Resident>;
}

export interface Resident {
  readonly pid: number;
  /** Resolves when so many files are published; rejects with its log when it ends or takes too long. */
  published(count: number): Promise<void>;
  stop(): Promise<void>;
}

const START_MS = 180_000;

export async function createStage(): Promise<Stage> {
  const dir = await mkdtemp('/dev/shm/pannier-bench-');
  const started: Resident[] = [];
  const keep = (resident: Resident) => {
    started.push(resident);
    return resident;
  };
  return {
    dir,
    baoAgent: async (written) =>
      keep(
        start([await ensureOpenBao(), 'agent', `-config=${written.config}`, '-log-level=warn'], written, written.out),
      ),
    pannier: async (written) =>
      keep(
        start(
          [process.execPath, resolve('dist/pannier.js'), 'run', '-c', written.config],
          written,
          join(written.out, '..data'),
        ),
      ),
    async [Symbol.asyncDispose]() {
      for (const one of started) await one.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

function start([program = '', ...args]: readonly string[], { home, out }: Written, files: string): Resident {
  const logFile = `${home}.log`; // in the directory of the configuration, each line would wake the agent
  const log = openSync(logFile, 'w');
  const child = spawn(program, args, { env: { HOME: home }, stdio: ['ignore', log, log] });
  const end = () => child.kill('SIGKILL');
  process.once('exit', end);
  const count = async () => {
    const whole = await readdir(files).then(
      (names) => names.length,
      () => 0,
    );
    if (whole > 0) return whole;
    const apart = await readdir(out).catch(() => []);
    const current = apart.map((name) =>
      readdir(join(out, name, '..data')).then(
        (names) => names.length,
        () => 0,
      ),
    );
    return (await Promise.all(current)).reduce((sum, one) => sum + one, 0);
  };
  return {
    pid: child.pid ?? -1,
    async published(wanted) {
      for (const end = performance.now() + START_MS; (await count()) < wanted; await pause(100)) {
        if (child.exitCode === null && performance.now() < end) continue;
        throw new Error(`${program} did not publish:\n${(await readFile(logFile, 'utf8')).slice(-2_000)}`);
      }
    },
    async stop() {
      await ended(child, end);
      process.off('exit', end);
    },
  };
}

async function ended(child: ChildProcess, kill: () => void): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(kill, 10_000);
  await gone;
  clearTimeout(timer);
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** `secret/shop/s0001` and so on, each with a password of its own; resolves to the names. */
export async function putSecrets(world: World, count: number): Promise<string[]> {
  const names = Array.from({ length: count }, (_, at) => `s${String(at + 1).padStart(4, '0')}`);
  const left = names.values();
  const put = async () => {
    for (const name of left)
      await world.putSecret(name, { username: 'shop', password: `of-${name}-${'x'.repeat(24)}` });
  };
  await Promise.all(Array.from({ length: 16 }, put));
  return names;
}

export function median(numbers: readonly number[]): number {
  return quantile(numbers, 0.5);
}

/** The middle of two where the place falls between them. */
export function quantile(numbers: readonly number[], share: number): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const at = share * (sorted.length - 1);
  const [low = Number.NaN, high = Number.NaN] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  return (low + high) / 2;
}
