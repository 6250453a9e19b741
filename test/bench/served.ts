/** Servers under load in turns: what `api.ts` and `proxy.ts` have in common. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cpuMs } from './proc.ts';

/** What one turn came to. */
export interface Load {
  readonly answers: number;
  readonly ms: number;
}

/** A server that is asked for one thing. */
export interface Served {
  readonly name: string;
  readonly pid: number;
  /** Asks for so long. */
  readonly ask: (ms: number) => Promise<Load>;
  /** Answers a second, a turn each. */
  readonly rates: number[];
  /** Its own processor time for an answer, in microseconds, a turn each: steadier than rates on a busy machine. */
  readonly costsUs: number[];
}

export function served(name: string, pid: number, ask: Served['ask']): Served {
  return { name, pid, ask, rates: [], costsUs: [] };
}

/** Asks all of them in turns (A B A B …), so that a busy minute hits each. The first turn warms them up. */
export async function takeTurns(servers: readonly Served[], turns: number, turnMs: number): Promise<void> {
  for (let turn = 0; turn <= turns; turn++) {
    for (const { pid, ask, rates, costsUs } of servers) {
      const beforeMs = await cpuMs(pid);
      const { answers, ms } = await ask(turnMs);
      if (turn === 0) continue;
      rates.push((answers * 1_000) / ms);
      costsUs.push((((await cpuMs(pid)) - beforeMs) * 1_000) / answers);
    }
  }
}

/** Asks over a unix socket, by `load.ts`. */
export async function askSocket(socket: string, path: string, connections: number, ms: number): Promise<Load> {
  const args = [join(import.meta.dirname, 'load.ts'), socket, path, String(connections), String(ms)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout) as Load;
}

/** Programs that end with the bench. */
export class Programs implements Disposable {
  readonly #dir: string;
  readonly #children: ChildProcess[] = [];

  /** @param dir holds their output, and is their home. */
  constructor(dir: string) {
    this.#dir = dir;
  }

  /** Resolves with the id of its process once `answers` succeeds. */
  async start(name: string, argv: readonly string[], answers: () => Promise<unknown>): Promise<number> {
    const [program = '', ...args] = argv;
    const path = join(this.#dir, `${name}.log`);
    const log = openSync(path, 'w');
    const env = { PATH: '/usr/bin:/bin', HOME: this.#dir };
    const child = spawn(program, args, { stdio: ['ignore', log, log], env });
    this.#children.push(child);
    for (let tries = 0; ; tries++) {
      const isUp = await answers().then(
        () => true,
        () => false,
      );
      if (isUp) return child.pid ?? -1;
      if (tries === 200) throw new Error(`${name} does not answer:\n${await readFile(path, 'utf8')}`);
      await new Promise((again) => setTimeout(again, 100));
    }
  }

  [Symbol.dispose](): void {
    for (const child of this.#children) child.kill('SIGKILL');
  }
}

export const rateOf = ({ rates }: Served): number => median(rates);
export const costOf = ({ costsUs }: Served): number => median(costsUs);

export const detailsOf = (servers: readonly Served[]) =>
  servers.map(({ name, rates, costsUs }) => ({ name, rates, costsUs }));

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}
