import type { Clock } from '../base/clock.ts';
import { asFailure } from '../base/errors.ts';
import type { Emit, Fact } from '../base/fact.ts';
import { type LevelControl, type LogLevel, tellsMore } from '../base/log-level.ts';
import type { Reporter } from '../base/reporter.ts';
import type { TraceIds } from '../base/tracing.ts';
import type { LogConfig } from '../config/config.ts';
import { readEnvironment } from '../config/environment.ts';
import { createLogger, type LoggerOptions } from '../log/logger.ts';
import { isTerminal } from '../log/standard-error.ts';
import type { OtlpLogs } from '../otlp/open-logs.ts';
import type { OpenedAudit } from './follow-audit.ts';
import type { OpenedLog } from './open-log-file.ts';

/** The log of this process; where it goes can change. */
export interface Log extends LevelControl, Reporter {
  readonly emit: Emit;
  /** Moves to this configuration, and opens its file anew also when nothing changed. One after the other. */
  reopen(config?: LogConfig): Promise<void>;
  /** Logs debug lines from now on, or again those of the configured level. Both say so. */
  toggleDebug(): void;
}

export interface OpenLogDeps {
  readonly clock: Clock;
  readonly random: () => number;
  /** The span that runs; absent: there are no traces. */
  readonly traced?: (() => TraceIds | undefined) | undefined;
  /** Gets the lines of the log too. */
  readonly sent?: OtlpLogs | undefined;
  /** A child writes to the standard output of this process. */
  readonly isStdoutShared?: boolean;
}

/** Opens the log. A file that cannot be written is a warning on standard error, where the lines then go. */
export async function openLog(first: LogConfig, deps: OpenLogDeps): Promise<Log> {
  const { traced, sent } = deps;
  let config = first;
  let asked: LogLevel | undefined;
  let now = await openMain(config, traced);
  let audit: OpenedAudit | undefined;
  let turn: Promise<void> = Promise.resolve();
  const level = () => (asked !== undefined && tellsMore(asked, config.level) ? asked : config.level);
  const toLog: Emit = (fact) => {
    now.emit(fact);
    sent?.take(fact, level());
  };
  let report = toLog;
  const openAudit = async () => {
    if (audit === undefined && config.audit === undefined) return;
    const { followAudit } = await import('./follow-audit.ts');
    const { clock, random, isStdoutShared = false } = deps;
    audit = await followAudit(audit, config, traced, {
      ...{ clock, random, isStdoutShared },
      otherwise: toLog,
      report: (fact) => report(fact),
    });
  };
  await openAudit();
  const inTurn = (change: () => void, told?: (before: OpenedLog) => void) => {
    turn = turn.then(async () => {
      change();
      const before = now;
      now = await openMain({ ...config, level: level() }, traced);
      await openAudit();
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
        if (level() === before) return;
        const fact: Fact = { kind: 'log-level-changed', level: level() };
        teller.emit(fact);
        sent?.take(fact, level());
      },
    );
  };
  return {
    emit: (fact) => (fact.kind === 'api-audit' && audit !== undefined ? audit.stream.add(fact) : toLog(fact)),
    reopen(next) {
      return inTurn(() => {
        config = next ?? config;
      });
    },
    configured: () => config.level,
    level,
    set,
    toggleDebug: () => void set(asked === undefined ? 'debug' : undefined),
    emitTo(emit) {
      report = emit;
      sent?.emitTo(emit);
    },
    async close() {
      await Promise.all([audit?.stream.close(), sent?.close()]);
    },
  };
}

type Traced = () => TraceIds | undefined;

async function openMain({ level, format, schema, file }: LogConfig, traced?: Traced): Promise<OpenedLog> {
  const isPretty = format === 'pretty' || (format === 'auto' && isTerminal());
  const emit = await createLogger({
    ...{ level, schema, traced, format: isPretty ? 'pretty' : 'json', env: readEnvironment },
  });
  if (file === undefined) return { emit, [Symbol.dispose]: () => {} };
  const how = { level, schema, traced, format: format === 'pretty' ? 'pretty' : 'json' } as const;
  return await openFileOr(emit, file, how, 'log.file');
}

/**
 * Opens a file of lines.
 * @param otherwise takes the lines from the first one on that cannot be written.
 * @param place the key of the configuration that names the file.
 */
async function openFileOr(otherwise: Emit, path: string, how: LoggerOptions, place: string): Promise<OpenedLog> {
  try {
    const { openLogFile } = await import('./open-log-file.ts');
    return await openLogFile(path, how, place, otherwise);
  } catch (error) {
    otherwise({ kind: 'agent-warning', warning: asFailure(error, place) });
    return { emit: otherwise, [Symbol.dispose]: () => {} };
  }
}
