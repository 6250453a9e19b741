import type { Fact } from '../base/fact.ts';
import { lineOf } from './lines.ts';

export interface LoggerOptions {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';
  readonly format: 'json' | 'pretty';
  /** File descriptor that lines go to; standard error by default, since standard output is for values. */
  readonly fd?: number;
}

/**
 * One line per fact: JSON by pino, or pretty for people. Written synchronously, so the last line before an exit is
 * there. pino is loaded by this call, not at import.
 */
export async function createLogger({ level, format, fd = 2 }: LoggerOptions): Promise<(fact: Fact) => void> {
  if (level === 'silent') return () => {};
  const { pino } = await import('pino');
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  const logger = pino(options, await destination(format, fd));
  return (fact) => {
    const { level, message, fields } = lineOf(fact);
    logger[level](fields, message);
  };
}

async function destination(format: 'json' | 'pretty', fd: number) {
  if (format === 'json') return (await import('pino')).destination({ fd, sync: true });
  const { PinoPretty } = await import('pino-pretty');
  return PinoPretty({
    destination: fd,
    sync: true,
    translateTime: 'SYS:HH:MM:ss.l',
    ignore: 'fact,hint',
    singleLine: true,
  });
}
