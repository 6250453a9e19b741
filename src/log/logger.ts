import type { Fact } from '../base/fact.ts';
import { LEVELS, type LogLevel } from '../base/log-level.ts';
import { printableJson } from '../base/printable.ts';
import type { TraceIds } from '../base/tracing.ts';
import { jsonLine } from './json-line.ts';
import { type Line, levelOf, lineOf } from './lines.ts';
import { createStderrWriter, isTerminal } from './standard-error.ts';

/** Whose names the fields of a line in JSON have. */
export type LogSchema = 'pannier' | 'ecs' | 'otel';

export interface LoggerOptions {
  readonly level: LogLevel;
  readonly format: 'json' | 'pretty';
  /** The names of the fields in JSON; absent: `pannier`. */
  readonly schema?: LogSchema;
  /** The span that runs; absent: there are no traces. */
  readonly traced?: (() => TraceIds | undefined) | undefined;
  /** Takes the lines, each with its end; standard error when absent, since standard output is for values. */
  readonly write?: (line: string) => void;
  /** The process environment, which says whether a terminal gets colours; absent: it gets none. */
  readonly env?: () => Readonly<Record<string, string | undefined>>;
}

/**
 * One line per fact: JSON, or sentences for people. Written synchronously, so the last line before an exit is there.
 * The sentences are loaded by this call, not at import.
 */
export async function createLogger(options: LoggerOptions): Promise<(fact: Fact) => void> {
  const { level, format, write, env } = options;
  if (level === 'silent') return () => {};
  const take = format === 'json' ? await jsonWriter(options) : await sentenceWriter(write, env);
  const lowest = LEVELS.indexOf(level);
  return (fact) => {
    // Most facts of a busy agent are for debugging: they cost a look, not a line.
    if (LEVELS.indexOf(levelOf(fact)) < lowest) return;
    take(fact);
  };
}

async function jsonWriter(options: LoggerOptions): Promise<(fact: Fact) => void> {
  const writeText = options.write ?? jsonToStderr();
  const form = await jsonForm(options);
  return (fact) => writeText(form(fact));
}

/** What makes a line in JSON, with its end, of a fact of now. */
export async function jsonForm({
  schema = 'pannier',
  traced,
}: Pick<LoggerOptions, 'schema' | 'traced'>): Promise<(fact: Fact) => string> {
  const form = await formOf(schema);
  return (fact) => {
    const text = form(lineOf(fact), Date.now(), traced?.());
    return Buffer.byteLength(text) > MAX_BYTES ? shortened(lineOf(fact), form, traced?.()) : text;
  };
}

/** Container runtimes cut what is longer, and no parser takes a part of a line. */
const MAX_BYTES = 16 * 1024;

/**
 * The line again, and `shortened` in it: while it is too long, its longest field loses the second half, or is left out
 * when it is no text and no list.
 */
function shortened({ fields, ...line }: Line, form: Form, ids?: TraceIds): string {
  const sizeOf = ([, value]: [string, unknown]) => JSON.stringify(value)?.length ?? 0;
  const [name, value] = Object.entries(fields).reduce((a, b) => (sizeOf(b) > sizeOf(a) ? b : a));
  const half = typeof value === 'string' || Array.isArray(value) ? value.slice(0, value.length / 2) : undefined;
  const less = { ...line, fields: { ...fields, [name]: half, shortened: true } };
  const text = form(less, Date.now(), ids);
  return Buffer.byteLength(text) > MAX_BYTES ? shortened(less, form, ids) : text;
}

type Form = (line: Line, wallMs: number, ids?: TraceIds) => string;

async function formOf(schema: LogSchema): Promise<Form> {
  if (schema === 'pannier') return jsonLine;
  const { ecsLine, otelLine } = await import('./schemas.ts');
  return schema === 'ecs' ? ecsLine : otelLine;
}

/** A terminal gets escapes for what JSON leaves as it is; every other reader gets pino's bytes. */
function jsonToStderr(): (line: string) => void {
  const write = createStderrWriter();
  return isTerminal() ? (line) => write(printableJson(line)) : write;
}

/** Colours are for standard error when it is a terminal: not for a file, and not for a pipe. */
async function sentenceWriter(write: LoggerOptions['write'], env: LoggerOptions['env']): Promise<(fact: Fact) => void> {
  const { prettyText, wantsColours } = await import('./terminal/pretty.ts');
  if (write !== undefined || !isTerminal()) {
    const writeText = write ?? createStderrWriter();
    return (fact) => writeText(prettyText(fact, Date.now(), false));
  }
  const { stderrLine } = await import('./terminal/status-line.ts');
  const hasColours = env !== undefined && wantsColours(env());
  return (fact) => stderrLine.write(prettyText(fact, Date.now(), hasColours));
}
