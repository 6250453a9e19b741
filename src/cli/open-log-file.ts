import { asFailure } from '../base/errors.ts';
import type { Emit } from '../base/fact.ts';
import { LogFile } from '../log/log-file.ts';
import { createLogger } from '../log/logger.ts';

/** Where the lines of the log go now. */
export interface OpenedLog extends Disposable {
  readonly emit: Emit;
}

/**
 * Opens the log in a file.
 * @param otherwise takes the lines from the first one on that cannot be written.
 */
export async function openLogFile(
  path: string,
  how: Parameters<typeof createLogger>[0],
  otherwise: Emit,
): Promise<OpenedLog> {
  const file = await LogFile.open(path);
  const toFile = await createLogger({ ...how, write: (line) => file.write(line) });
  let isLost = false;
  return {
    emit(fact) {
      if (!isLost) {
        try {
          return toFile(fact);
        } catch (error) {
          isLost = true;
          otherwise({ kind: 'agent-warning', warning: asFailure(error, 'log.file') });
        }
      }
      otherwise(fact);
    },
    [Symbol.dispose]: () => file[Symbol.dispose](),
  };
}
