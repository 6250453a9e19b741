import type { Fact } from '../base/fact.ts';
import { jsonLine } from './json-line.ts';
import { levelOf, lineOf } from './lines.ts';
import { createStderrWriter } from './standard-error.ts';

export interface LoggerOptions {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';
  readonly format: 'json' | 'pretty';
  /** Takes the lines, each with its end; standard error when absent, since standard output is for values. */
  readonly write?: (line: string) => void;
}

/** From the lines that are told only when asked for to those that always are. */
const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;

/**
 * One line per fact: JSON, or pretty for people. Written synchronously, so the last line before an exit is there. What
 * makes lines pretty is loaded by this call, not at import.
 */
export async function createLogger({ level, format, write }: LoggerOptions): Promise<(fact: Fact) => void> {
  if (level === 'silent') return () => {};
  const takeLine = format === 'json' ? (write ?? createStderrWriter()) : await prettyWriter(write);
  const lowest = LEVELS.indexOf(level);
  return (fact) => {
    // Most facts of a busy agent are for debugging: they cost a look, not a line.
    if (LEVELS.indexOf(levelOf(fact)) < lowest) return;
    takeLine(jsonLine(lineOf(fact), Date.now()));
  };
}

const STDERR = 2;

async function prettyWriter(write: LoggerOptions['write']): Promise<(line: string) => void> {
  const { PinoPretty, prettyFactory } = await import('pino-pretty');
  const options = { translateTime: 'SYS:HH:MM:ss.l', ignore: 'fact,hint', singleLine: true };
  if (write === undefined) {
    const stream = PinoPretty({ ...options, destination: STDERR, sync: true });
    return (line) => void stream.write(line);
  }
  const pretty = prettyFactory({ ...options, colorize: false });
  return (line) => write(pretty(line));
}
