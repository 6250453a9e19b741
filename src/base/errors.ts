import { type Code, codeTable, type ExitStatus, type Retry } from './codes.ts';
import { printable } from './printable.ts';

/** A place in a text file; line and column are counted from 1. */
export interface FilePosition {
  /** The file's short name in messages. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/**
 * A failure as plain frozen data: facts carry it, logs print it and the status shows it. It never holds a secret value:
 * Pannier words `seen` itself, and quotes nothing that may be one.
 */
export interface Failure {
  /** Stable over versions; docs/errors.md lists all codes. */
  readonly code: Code;
  /** What the failure concerns: a configuration path (`secrets.db.read`), or a part of the agent (`process`). */
  readonly place: string;
  /** Where that stands in a configuration file; absent when it stands in none, or when nobody needs to know. */
  readonly at?: FilePosition;
  /** What went wrong there. */
  readonly seen: string;
  /** What to do next. */
  readonly hint: string;
  readonly retry: Retry;
  /** The Retry-After that the server sent, uncapped; absent when it sent none. */
  readonly retryAfterMs?: number;
}

/** What a failure can have of its own instead of what the table of codes says. */
export interface FailureDetails {
  readonly hint?: string;
  readonly retry?: Retry;
  readonly retryAfterMs?: number | undefined;
}

/** Builds a failure; hint and retry come from the table of codes unless given. */
export function failure(code: Code, place: string, seen: string, details: FailureDetails = {}): Failure {
  const { hint, retry } = codeTable()[code];
  return Object.freeze({
    code,
    place,
    seen,
    hint: details.hint ?? hint,
    retry: details.retry ?? retry,
    ...(details.retryAfterMs === undefined ? {} : { retryAfterMs: details.retryAfterMs }),
  });
}

/**
 * The one error class that crosses folders. Its message is made of the failure, so it is safe to print. A foreign error
 * is never kept as `cause`, since its message and fields may hold a secret value.
 */
export class PannierError extends Error {
  readonly failure: Failure;

  constructor(failed: Failure) {
    super(formatFailure(failed));
    this.name = 'PannierError';
    this.failure = failed;
  }
}

/** Shorthand for `new PannierError(failure(...))`. */
export function fail(code: Code, place: string, seen: string, details?: FailureDetails): PannierError {
  return new PannierError(failure(code, place, seen, details));
}

/** Several problems that were found in one pass and are reported together, such as those of a configuration. */
export class ProblemsError extends Error {
  readonly failures: readonly Failure[];

  constructor(failures: readonly Failure[]) {
    super(failures.map(formatFailure).join('\n'));
    this.name = 'ProblemsError';
    this.failures = failures;
  }
}

/**
 * A failure on one line, which no name in it can end: `secrets.db.read: no such path (SECRET_NOT_FOUND). Check …`,
 * behind `shop.yaml:7:9: ` when it stands in a file.
 */
export function formatFailure({ code, place, at, seen, hint }: Failure): string {
  const position = at === undefined ? '' : formatPosition(at);
  // The place of a syntax error is its position.
  const prefix = position === '' || place === position ? '' : `${position}: `;
  return printable(`${prefix}${place}: ${seen} (${code}). ${hint}`);
}

/** A position as compilers write it, and editors read it: `shop.yaml:7:9`. */
export function formatPosition({ file, line, column }: FilePosition): string {
  return `${file}:${line}:${column}`;
}

/** The failure with its position in a file. */
export function failureAt(failed: Failure, at: FilePosition): Failure {
  return Object.freeze({ ...failed, at });
}

/** The failure of anything thrown. A foreign error becomes INTERNAL, with no more than its class name and its code. */
export function asFailure(error: unknown, place: string): Failure {
  if (error instanceof PannierError) return error.failure;
  const name = error instanceof Error ? error.constructor.name : typeof error;
  return failure('INTERNAL', place, `unexpected ${name}${codeSuffix(error)}`);
}

/** All failures of anything thrown: those of a `ProblemsError`, else the one of `asFailure`. */
export function failuresOf(error: unknown, place: string): readonly Failure[] {
  return error instanceof ProblemsError ? error.failures : [asFailure(error, place)];
}

/** The exit status of a command that ended with these failures: the first of 2, 4, 3 and 1 that one of them has. */
export function exitStatus(failures: Iterable<Failure>): ExitStatus {
  const statuses = new Set<ExitStatus>();
  for (const { code } of failures) statuses.add(codeTable()[code].exit);
  return ([2, 4, 3] as const).find((status) => statuses.has(status)) ?? 1;
}

/**
 * ` EACCES` or ` ERR_INVALID_STATE` for an error with a code of the system or of Node, which holds no value; else ''.
 */
function codeSuffix(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' && /^E[A-Z0-9_]+$/.test(code) ? ` ${code}` : '';
}
