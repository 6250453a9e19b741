import { type ChildProcess, spawn } from 'node:child_process';
import type { Clock } from '../../../base/clock.ts';
import { deadline } from '../../../base/deadline.ts';
import { endsWithUs } from '../../../base/ending-with-us.ts';
import { errnoWord } from '../../../base/errno.ts';
import { onAbort } from '../../../base/on-abort.ts';
import type { Environment } from '../../../config/environment.ts';

/** What a program printed, or why there is nothing to read, in words that name no argument. */
export type PluginRun = { readonly printed: Buffer } | { readonly wrong: string };

/** A credential has a few KiB. */
const MAX_PRINTED = 1024 * 1024;

/**
 * Runs a credential plugin to its end and reads its standard output. It has no terminal and no input, its standard
 * error goes nowhere. At the limit, when `signal` aborts, and when this process ends it is ended with all that it
 * started. Never rejects.
 */
export function runPlugin(
  { argv, env, timeoutMs }: { readonly argv: readonly string[]; readonly env: Environment; readonly timeoutMs: number },
  clock: Clock,
  signal: AbortSignal,
): Promise<PluginRun> {
  const [program = '', ...args] = argv;
  return new Promise((resolve) => {
    const child = spawn(program, args, { env: { ...env }, stdio: ['ignore', 'pipe', 'ignore'], detached: true });
    endsWithUs(child, () => endGroup(child));
    const chunks: Buffer[] = [];
    let length = 0;
    const settle = (run: PluginRun) => {
      cancel();
      unlisten();
      child.stdout.destroy();
      resolve(run);
    };
    const give = (wrong: string) => {
      endGroup(child);
      settle({ wrong: `${program} ${wrong}` });
    };
    const cancel = deadline(clock, timeoutMs, () => give(`did not end within ${timeoutMs / 1000}s`));
    const unlisten = onAbort(signal, () => give('was ended'));
    child.once('error', (error) => settle({ wrong: `${program} cannot be started (${errnoWord(error)})` }));
    child.stdout.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > MAX_PRINTED) give('printed more than a credential');
      else chunks.push(chunk);
    });
    child.once('close', (status, by) => {
      if (status === 0) settle({ printed: Buffer.concat(chunks) });
      else settle({ wrong: `${program} ${status === null ? `was ended by ${by}` : `ended with status ${status}`}` });
    });
  });
}

function endGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // it has ended already
  }
}
