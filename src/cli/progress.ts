import { readEnvironment } from '../config/environment.ts';
import { isTerminal } from '../log/standard-error.ts';
import type { Progress } from './terminal/progress.ts';

/**
 * What tells on a terminal what the command waits for. Undefined, and nothing is loaded, where standard error is none,
 * or one that cannot move its cursor.
 */
export async function progressOnTerminal(): Promise<Progress | undefined> {
  if (!isTerminal() || readEnvironment()['TERM'] === 'dumb') return undefined;
  return (await import('./terminal/start-progress.ts')).startProgress();
}
