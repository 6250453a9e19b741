import type { Clock } from '../base/clock.ts';
import { asFailure, type Failure } from '../base/errors.ts';
import type { Emit, Fact } from '../base/fact.ts';
import { LEVELS, type LogLevel } from '../base/log-level.ts';
import type { Reporter } from '../base/reporter.ts';
import type { TraceIds } from '../base/tracing.ts';
import type { OtlpLogsConfig, TracesConfig } from '../config/config.ts';
import type { Environment } from '../config/environment.ts';
import { levelOf, lineOf } from '../log/lines.ts';
import { checkFiles } from './check-files.ts';
import { encodeLogs, type LogRecord } from './encode-logs.ts';
import { Exporter } from './exporter.ts';
import { readSettings } from './settings.ts';

export interface OpenLogsDeps {
  readonly clock: Clock;
  readonly random: () => number;
  readonly env: Environment;
  /** Pannier's version. */
  readonly version: string;
  /** The span that runs; absent: there are no traces. */
  readonly traced: (() => TraceIds | undefined) | undefined;
}

/** Sends log lines by OTLP. */
export interface OtlpLogs extends Reporter {
  /** Takes a fact whose level is `lowest` or above. */
  take(fact: Fact, lowest: LogLevel): void;
}

/** Facts about the sending of lines: each would make another line to send. */
const ABOUT_ITSELF: ReadonlySet<Fact['kind']> = new Set(['logs-sent', 'logs-dropped']);

/**
 * Begins to send log lines. Nothing that is wrong with the settings ends the agent: it is a warning.
 * @param traces the section `traces`, whose receiver and name are those of the log unless it has its own.
 */
export function openLogs(
  config: OtlpLogsConfig,
  traces: TracesConfig | undefined,
  { traced, ...deps }: OpenLogsDeps,
): { readonly logs?: OtlpLogs; readonly warnings: readonly Failure[] } {
  const { place } = config.endpoint === undefined && traces?.endpoint !== undefined ? traces : config;
  const wanted = { place, endpoint: config.endpoint ?? traces?.endpoint, service: traces?.service };
  const { settings, warnings } = readSettings('logs', wanted, deps.env, deps.version);
  if (settings === undefined) return { warnings };
  let report: Emit = () => {};
  try {
    const exporter = new Exporter<LogRecord>({
      ...deps,
      settings,
      export: {
        ...{ place: config.place, code: 'LOGS_NOT_SENT', noun: 'log lines', rejected: 'rejectedLogRecords' },
        encode: (records) => encodeLogs(records, settings.resource, deps.version),
        onSent: (lines) => report({ kind: 'logs-sent', lines }),
        onDropped: (lines, failure, again) => report({ kind: 'logs-dropped', lines, failure, again }),
      },
    });
    return {
      warnings,
      logs: {
        take(fact, lowest) {
          if (ABOUT_ITSELF.has(fact.kind) || LEVELS.indexOf(levelOf(fact)) < LEVELS.indexOf(lowest)) return;
          exporter.add([{ line: lineOf(fact), wallMs: deps.clock.wallMs(), ids: traced?.() }]);
        },
        emitTo(emit) {
          report = emit;
          void checkFiles('logs', settings, deps.clock, emit);
        },
        close: () => exporter.close(),
      },
    };
  } catch (error) {
    return { warnings: [...warnings, asFailure(error, config.place)] };
  }
}
