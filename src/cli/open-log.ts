import { fstatSync } from 'node:fs';
import { asFailure } from '../base/errors.ts';
import type { Emit } from '../base/fact.ts';
import type { LogConfig } from '../config/config.ts';
import { LogFile } from '../log/log-file.ts';
import { createLogger } from '../log/logger.ts';

const STDERR = 2;

/** The log of this process; where it goes can change. */
export interface Log {
  readonly emit: Emit;
  /** Moves to this configuration, and opens its file anew also when nothing changed. One after the other. */
  reopen(config?: LogConfig): Promise<void>;
  /** Logs debug lines from now on, or again those of the configured level. Both say so. */
  toggleDebug(): void;
}

interface Opened extends Disposable {
  readonly emit: Emit;
}

/** Opens the log. A file that cannot be written is a warning on standard error, where the lines then go. */
export async function openLog(first: LogConfig): Promise<Log> {
  let config = first;
  let isDebugging = false;
  let now = await open(config);
  let turn: Promise<void> = Promise.resolve();
  const inTurn = (change: () => void, told?: () => void) => {
    turn = turn.then(async () => {
      change();
      const before = now;
      now = await open(isDebugging ? { ...config, level: 'debug' } : config);
      told?.();
      before[Symbol.dispose]();
    });
    return turn;
  };
  return {
    emit: (fact) => now.emit(fact),
    reopen(next) {
      return inTurn(() => {
        config = next ?? config;
      });
    },
    toggleDebug() {
      void inTurn(
        () => {
          // The line about going back is one of the lower level.
          if (isDebugging) now.emit({ kind: 'log-level-changed', level: config.level });
          isDebugging = !isDebugging;
        },
        () => {
          if (isDebugging) now.emit({ kind: 'log-level-changed', level: 'debug' });
        },
      );
    },
  };
}

async function open({ level, format, file }: LogConfig): Promise<Opened> {
  const isPretty = format === 'pretty' || (format === 'auto' && isTerminal());
  const emit = await createLogger({ level, format: isPretty ? 'pretty' : 'json' });
  if (file === undefined) return { emit, [Symbol.dispose]: () => {} };
  try {
    return await openFile(file, { level, format: format === 'pretty' ? 'pretty' : 'json' }, emit);
  } catch (error) {
    emit({ kind: 'agent-warning', warning: asFailure(error, 'log.file') });
    return { emit, [Symbol.dispose]: () => {} };
  }
}

/**
 * Whether standard error is a terminal. `process.stderr` would know, and making it takes 4 ms. A pipe or a file, which
 * it is nearly everywhere, is no character device, and then not even node:tty is loaded.
 */
function isTerminal(): boolean {
  try {
    return fstatSync(STDERR).isCharacterDevice() && process.getBuiltinModule('node:tty').isatty(STDERR);
  } catch {
    return false; // closed
  }
}

/** @param otherwise takes the lines from the first one on that cannot be written. */
async function openFile(path: string, how: Parameters<typeof createLogger>[0], otherwise: Emit): Promise<Opened> {
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
