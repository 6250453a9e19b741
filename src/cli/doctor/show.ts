import { exitStatus, failure, formatPosition } from '../../base/errors.ts';
import type { Check, CheckState } from '../../base/examination.ts';
import { printable } from '../../base/printable.ts';

/** One check on one line: `failure  login  backends.bao.auth: HTTP 403 … (AUTH_DENIED). Check …`. */
export function showCheck({ check, place, at, state, seen, code, hint }: Check): string {
  const told = code === undefined ? seen : `${seen} (${code})`;
  const position = at === undefined ? '' : formatPosition(at);
  // The place of a syntax error is its position.
  const where = position === '' || place === position ? place : `${position}: ${place}`;
  const next = hint === undefined ? '' : `. ${hint}`;
  return `${printable(`${state.padEnd(8)} ${check.padEnd(13)} ${where}: ${told}${next}`)}\n`;
}

const STATES: readonly CheckState[] = ['ok', 'warning', 'failure', 'skipped'];

/** The checks for programs: a position is three keys of its check, as in `validate --json`. */
export function documentOf(checks: readonly Check[]): string {
  return `${JSON.stringify(
    checks.map(({ at, ...check }) => ({ ...check, ...at })),
    null,
    2,
  )}\n`;
}

/** `12 ok, 1 failure, 3 skipped` */
export function summaryOf(checks: readonly Check[]): string {
  const counts = STATES.map((state) => [state, checks.filter((one) => one.state === state).length] as const);
  return `${counts.flatMap(([state, count]) => (count === 0 ? [] : [`${count} ${state}`])).join(', ')}\n`;
}

/** 0 when no check failed, else the status that a command with these failures has. */
export function statusOf(checks: readonly Check[]): number {
  const failures = checks.flatMap(({ state, code, place, seen }) =>
    state === 'failure' && code !== undefined ? [failure(code, place, seen)] : [],
  );
  return failures.length === 0 ? 0 : exitStatus(failures);
}
