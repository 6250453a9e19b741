import type { Fact } from '../base/fact.ts';
import { levelOf, lineOf } from './lines.ts';

export interface LoggerOptions {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';
  readonly format: 'json' | 'pretty';
  /** Takes the lines, each with its end; standard error when absent, since standard output is for values. */
  readonly write?: (line: string) => void;
}

const STDERR = 2;

/**
 * One line per fact: JSON by pino, or pretty for people. Written synchronously, so the last line before an exit is
 * there. pino is loaded by this call, not at import.
 */
export async function createLogger({ level, format, write }: LoggerOptions): Promise<(fact: Fact) => void> {
  if (level === 'silent') return () => {};
  const { pino } = await import('pino');
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  const logger = pino(options, await destination(format, write));
  return (fact) => {
    // Most facts of a busy agent are for debugging: they cost a look, not a line.
    if (!logger.isLevelEnabled(levelOf(fact))) return;
    const { level, message, fields } = lineOf(fact);
    logger[level](fields, message);
  };
}

async function destination(format: 'json' | 'pretty', write: LoggerOptions['write']) {
  if (format === 'json') {
    return write === undefined ? (await import('pino')).destination({ fd: STDERR, sync: true }) : { write };
  }
  const { PinoPretty, prettyFactory } = await import('pino-pretty');
  const options = { translateTime: 'SYS:HH:MM:ss.l', ignore: 'fact,hint', singleLine: true };
  if (write === undefined) return PinoPretty({ ...options, destination: STDERR, sync: true });
  const pretty = prettyFactory({ ...options, colorize: false });
  return { write: (line: string) => write(pretty(line)) };
}
