import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';

/** What one run of a command took. */
export interface Taken {
  readonly wallMs: number;
  /** User and system time. */
  readonly cpuMs: number;
  /** Most memory that was resident at once. */
  readonly peakMiB: number;
}

export interface Order {
  /** Begins with an absolute path. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** File that takes both streams of the command, written anew. */
  readonly log: string;
}

export interface Stopwatch extends Disposable {
  /** Runs a command to its end. Rejects with the end of its log unless it ended with status 0. */
  measure(order: Order): Promise<Taken>;
}

/** One Python for all runs, so that its own start disturbs none of them. */
export function startStopwatch(): Stopwatch {
  const python = spawn('python3', ['-u', `${import.meta.dirname}/stopwatch.py`], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const answers = createInterface(python.stdout);
  const gone = new Promise<never>((_, reject) => {
    python.once('error', (error) => reject(new Error('python3 does not start', { cause: error })));
    answers.once('close', () => reject(new Error('the stopwatch stopped')));
  });
  gone.catch(() => undefined);
  return {
    async measure(order) {
      const answer = once(answers, 'line');
      python.stdin.write(`${JSON.stringify(order)}\n`);
      const [line] = await Promise.race([answer, gone]);
      const { status, ...taken } = JSON.parse(line) as Taken & { status: number };
      if (status === 0) return taken;
      const log = await readFile(order.log, 'utf8');
      throw new Error(`${order.argv.join(' ')} ended with ${status}:\n${log.slice(-2_000)}`);
    },
    [Symbol.dispose]: () => void python.kill(),
  };
}
