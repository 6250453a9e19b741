import { asFailure } from '../base/errors.ts';
import type { Emit } from '../base/fact.ts';
import { LogFile } from '../log/log-file.ts';
import { createLogger, type LoggerOptions } from '../log/logger.ts';

/** Where the lines of the log go now. */
export interface OpenedLog extends Disposable {
  readonly emit: Emit;
}

/**
 * Opens a file of lines.
 * @param place the key of the configuration that names the file.
 * @param otherwise takes the lines from the first one on that cannot be written.
 */
export async function openLogFile(
  path: string,
  how: LoggerOptions,
  place: string,
  otherwise: Emit,
): Promise<OpenedLog> {
  const file = await LogFile.open(path, place);
  const toFile = await createLogger({ ...how, write: (line) => file.write(line) });
  let isLost = false;
  return {
    emit(fact) {
      if (!isLost) {
        try {
          return toFile(fact);
        } catch (error) {
          isLost = true;
          otherwise({ kind: 'agent-warning', warning: asFailure(error, place) });
        }
      }
      otherwise(fact);
    },
    [Symbol.dispose]: () => file[Symbol.dispose](),
  };
}
