import { formatDuration } from '../base/duration.ts';
import { type Failure, failure } from '../base/errors.ts';
import { placeOfOutput } from '../config/place.ts';
import type { OutputState } from '../deliver/output-state.ts';
import type { SecretEntry } from '../lease/snapshot.ts';

/** One answer of health: failing when there is a problem. A warning is worth a look and fails nothing. */
export interface Verdict {
  readonly problems: readonly Failure[];
  readonly warnings: readonly Failure[];
}

/** One secret that is wanted. */
export interface SecretStanding {
  readonly name: string;
  /** By a computed path: whether its absence is wrong, its output says. */
  readonly need: 'required' | 'computed' | 'optional';
  readonly entry: SecretEntry | undefined;
  /** Why there is no entry. */
  readonly reasonMissing: () => Failure;
}

/** One output, the environment of a child too. */
export interface OutputStanding {
  readonly name: string;
  readonly state: OutputState;
}

export interface Readings {
  readonly wallMs: number;
  /** Why a login is missing that requests of others need, the proxy's clients. */
  readonly loginsMissing: Iterable<Failure>;
  readonly secrets: Iterable<SecretStanding>;
  readonly outputs: Iterable<OutputStanding>;
}

/**
 * Pure: whether every output was published once and every required secret has had a value. Asked until it is so once;
 * from then on the start is over, whatever comes.
 * @param published the outputs that were.
 */
export function startProblems({ secrets, outputs }: Readings, published: ReadonlySet<string>): readonly Failure[] {
  const problems: Failure[] = [];
  for (const output of outputs) {
    const problem = published.has(output.name) ? undefined : outputProblem(output);
    if (problem !== undefined) problems.push(problem);
  }
  for (const { need, entry, reasonMissing } of secrets) {
    if (need !== 'required') continue;
    if (entry === undefined || entry.state === 'absent') problems.push(entry?.why ?? reasonMissing());
  }
  return once(problems);
}

/**
 * Pure: whether everything that is required can be relied on now.
 *
 * - A required secret without a value, or past its validity or its `maxStale`, is a problem; a stale one whose value is
 *   still good is a warning. An optional one is neither.
 * - An output that waits or failed is a problem: what it publishes is not what it should be.
 * - A login that the proxy lends to its clients is a problem while there is none: it could answer nothing.
 * - An owed reload is a warning at most: the files are right and the application still runs on values that are good.
 *   Taking every replica out of service because a reload command is broken would be the larger outage.
 */
export function readiness({ wallMs, secrets, outputs, loginsMissing }: Readings): Verdict {
  const problems: Failure[] = [...loginsMissing];
  const warnings: Failure[] = [];
  for (const { name, need, entry, reasonMissing } of secrets) {
    if (need === 'optional') continue;
    if (entry === undefined || entry.state === 'absent') {
      if (need === 'required') problems.push(entry?.why ?? reasonMissing());
    } else if (entry.state === 'expired') problems.push(aged('SECRET_EXPIRED', name, entry, wallMs));
    else if (entry.state === 'stale') warnings.push(aged('SECRET_STALE', name, entry, wallMs));
  }
  for (const output of outputs) {
    const problem = outputProblem(output);
    if (problem !== undefined) problems.push(problem);
    else if ('why' in output.state && output.state.why !== undefined) warnings.push(output.state.why);
  }
  return { problems: once(problems), warnings: once(warnings) };
}

/** Longest list of names in one problem. */
const NAMED = 5;

function outputProblem({ name, state }: OutputStanding): Failure | undefined {
  if (state.kind === 'failed') return state.why;
  if (state.kind !== 'waiting') return undefined;
  // A computed path stands in its name.
  const names = state.missing.filter((missing) => !missing.includes(' '));
  const shown = names.slice(0, NAMED);
  const others = state.missing.length - shown.length;
  const list = [...shown, ...(others === 0 ? [] : [`${others} more`])].join(', ');
  return failure(
    'OUTPUT_WAITING',
    placeOfOutput(name),
    list === '' ? 'it is not rendered yet' : `it waits for ${list}`,
  );
}

function aged(
  code: 'SECRET_EXPIRED' | 'SECRET_STALE',
  name: string,
  { why, fetchedWallMs }: Exclude<SecretEntry, { state: 'absent' }>,
  wallMs: number,
): Failure {
  const age = `last known good ${formatDuration(wallMs - fetchedWallMs)} ago`;
  const reason = why === undefined ? '' : `, ${why.seen} (${why.code})`;
  const place = name.includes(' ') ? (why?.place ?? 'outputs') : `secrets.${name}`;
  return failure(code, place, `${age}${reason}`, why === undefined ? {} : { hint: why.hint });
}

/** A login in trouble is one problem, however many secrets wait for it. */
function once(failures: readonly Failure[]): readonly Failure[] {
  return [...new Map(failures.map((one) => [`${one.code} ${one.place} ${one.seen}`, one])).values()];
}
