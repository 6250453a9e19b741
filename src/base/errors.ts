import { CODES, type Code, type ExitStatus, type Retry } from './codes.ts';

/**
 * A failure as plain frozen data: what facts carry, logs print and status shows. Nothing in it is a secret value:
 * `seen` is our own words about what was met.
 */
export interface Failure {
  /** Stable; listed in docs/errors.md. */
  readonly code: Code;
  /** Where: a configuration path (`secrets.db.read`), or a part of the machine (`process`). */
  readonly place: string;
  /** What was met there, in our words. */
  readonly seen: string;
  /** What to do next. */
  readonly hint: string;
  readonly retry: Retry;
  /** The server's own wish (Retry-After), uncapped; absent when it said nothing. */
  readonly retryAfterMs?: number;
}

export interface FailureDetails {
  readonly hint?: string;
  readonly retry?: Retry;
  readonly retryAfterMs?: number | undefined;
}

/** Builds a failure; hint and retry come from the table of codes unless given. */
export function failure(code: Code, place: string, seen: string, details: FailureDetails = {}): Failure {
  const { hint, retry } = CODES[code];
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
 * The one error class that crosses folders. The message is made of the failure's own words, so it is safe to print.
 * A foreign error is never kept as `cause`: its message and fields may hold a value.
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

/** Several problems found in one pass, told together. Exit status and code are those of the first. */
export class ProblemsError extends Error {
  readonly failures: readonly Failure[];

  constructor(failures: readonly Failure[]) {
    super(failures.map(formatFailure).join('\n'));
    this.name = 'ProblemsError';
    this.failures = failures;
  }
}

/** `secrets.db.read: no such path (SECRET_NOT_FOUND). Check …` on one line. */
export function formatFailure({ code, place, seen, hint }: Failure): string {
  return `${place}: ${seen} (${code}). ${hint}`;
}

/** Any thrown thing as a failure. What is not ours becomes INTERNAL with the error's class name alone. */
export function asFailure(error: unknown, place: string): Failure {
  if (error instanceof PannierError) return error.failure;
  const name = error instanceof Error ? error.constructor.name : typeof error;
  return failure('INTERNAL', place, `unexpected ${name}${systemCode(error)}`);
}

/** Every failure that a thrown thing stands for. */
export function failuresOf(error: unknown, place: string): readonly Failure[] {
  return error instanceof ProblemsError ? error.failures : [asFailure(error, place)];
}

/** Exit status of a command that ended with these failures: the first of 2, 4, 3, 1. */
export function exitStatus(failures: Iterable<Failure>): ExitStatus {
  const met = new Set<ExitStatus>();
  for (const { code } of failures) met.add(CODES[code].exit);
  return ([2, 4, 3] as const).find((status) => met.has(status)) ?? 1;
}

/** ` EACCES` when the error is a system error, else nothing: these codes are a fixed vocabulary of libuv. */
function systemCode(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' && /^E[A-Z0-9_]+$/.test(code) ? ` ${code}` : '';
}
