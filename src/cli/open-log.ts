import { asFailure } from '../base/errors.ts';
import type { Emit } from '../base/fact.ts';
import { type LevelControl, type LogLevel, tellsMore } from '../base/log-level.ts';
import type { LogConfig } from '../config/config.ts';
import { readEnvironment } from '../config/environment.ts';
import { createLogger } from '../log/logger.ts';
import { isTerminal } from '../log/standard-error.ts';
import type { OpenedLog } from './open-log-file.ts';

/** The log of this process; where it goes can change. */
export interface Log extends LevelControl {
  readonly emit: Emit;
  /** Moves to this configuration, and opens its file anew also when nothing changed. One after the other. */
  reopen(config?: LogConfig): Promise<void>;
  /** Logs debug lines from now on, or again those of the configured level. Both say so. */
  toggleDebug(): void;
}

/** Opens the log. A file that cannot be written is a warning on standard error, where the lines then go. */
export async function openLog(first: LogConfig): Promise<Log> {
  let config = first;
  let asked: LogLevel | undefined;
  let now = await open(config);
  let turn: Promise<void> = Promise.resolve();
  const level = () => (asked !== undefined && tellsMore(asked, config.level) ? asked : config.level);
  const inTurn = (change: () => void, told?: (before: OpenedLog) => void) => {
    turn = turn.then(async () => {
      change();
      const before = now;
      now = await open({ ...config, level: level() });
      told?.(before);
      before[Symbol.dispose]();
    });
    return turn;
  };
  const set = (next: LogLevel | undefined) => {
    let before = level();
    return inTurn(
      () => {
        before = level();
        asked = next;
      },
      (last) => {
        // The line about going back is one of the level that tells more, and comes when the other level holds.
        const teller = tellsMore(before, level()) ? last : now;
        if (level() !== before) teller.emit({ kind: 'log-level-changed', level: level() });
      },
    );
  };
  return {
    emit: (fact) => now.emit(fact),
    reopen(next) {
      return inTurn(() => {
        config = next ?? config;
      });
    },
    configured: () => config.level,
    level,
    set,
    toggleDebug: () => void set(asked === undefined ? 'debug' : undefined),
  };
}

async function open({ level, format, file }: LogConfig): Promise<OpenedLog> {
  const isPretty = format === 'pretty' || (format === 'auto' && isTerminal());
  const emit = await createLogger({ level, format: isPretty ? 'pretty' : 'json', env: readEnvironment });
  if (file === undefined) return { emit, [Symbol.dispose]: () => {} };
  try {
    const { openLogFile } = await import('./open-log-file.ts');
    return await openLogFile(file, { level, format: format === 'pretty' ? 'pretty' : 'json' }, emit);
  } catch (error) {
    emit({ kind: 'agent-warning', warning: asFailure(error, 'log.file') });
    return { emit, [Symbol.dispose]: () => {} };
  }
}
