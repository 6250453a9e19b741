import { formatDuration } from '../base/duration.ts';
import { type Failure, failure } from '../base/errors.ts';
import { placeOfOutput } from '../config/place.ts';
import type { OutputState } from '../deliver/output-state.ts';
import type { SecretEntry } from '../lease/snapshot.ts';

/** The result of a check of health. A problem fails it; a warning deserves a look and fails nothing. */
export interface Verdict {
  readonly problems: readonly Failure[];
  readonly warnings: readonly Failure[];
}

/** The state of one secret that is wanted. */
export interface SecretStanding {
  readonly name: string;
  /** `computed`: the path was computed, and the output that needs it says whether its absence is a problem. */
  readonly need: 'required' | 'computed' | 'optional';
  readonly entry: SecretEntry | undefined;
  /** Why the secret has no entry; called when it has none. */
  readonly reasonMissing: () => Failure;
}

/** The state of one output, or of the environment of a child. */
export interface OutputStanding {
  readonly name: string;
  readonly state: OutputState;
}

/** The state of the agent at the moment of a check. */
export interface Readings {
  readonly wallMs: number;
  /** Why the login is missing that the proxy needs for its clients; empty when none is missing. */
  readonly loginsMissing: Iterable<Failure>;
  readonly secrets: Iterable<SecretStanding>;
  readonly outputs: Iterable<OutputStanding>;
}

/**
 * Pure: what is missing until every output was published once and every required secret has a value. When nothing is,
 * the start is over for good and the caller asks no more.
 * @param published names of the outputs that were published.
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
 * - An output that waits or failed is a problem: its files are missing or out of date.
 * - A missing login that the proxy lends to its clients is a problem: the proxy cannot answer them.
 * - An output whose files somebody else has changed is a problem for as long as they are not put right.
 * - An owed reload is a warning at most: the files are right and the application still runs on good values.
 *   Taking every replica out of service because a reload command is broken would be the larger outage.
 * - Values that are held back are a warning: the application runs on the ones before.
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
    const problem = outputProblem(output) ?? driftOf(output);
    if (problem !== undefined) problems.push(problem);
    else {
      if ('why' in output.state && output.state.why !== undefined) warnings.push(output.state.why);
      if ('held' in output.state && output.state.held !== undefined) warnings.push(output.state.held.why);
    }
  }
  return { problems: once(problems), warnings: once(warnings) };
}

const driftOf = ({ state }: OutputStanding): Failure | undefined => ('drift' in state ? state.drift : undefined);

/** How many names one problem lists. */
const MAX_NAMED = 5;

function outputProblem({ name, state }: OutputStanding): Failure | undefined {
  if (state.kind === 'failed') return state.why;
  if (state.kind !== 'waiting') return undefined;
  // The name of a computed secret holds its path, and a space.
  const names = state.missing.filter((missing) => !missing.includes(' '));
  const shown = names.slice(0, MAX_NAMED);
  const others = state.missing.length - shown.length;
  const list = [...shown, ...(others === 0 ? [] : [`${others} more`])].join(', ');
  return failure(
    'OUTPUT_WAITING',
    placeOfOutput(name),
    list === '' ? 'the output is not rendered yet' : `the output waits for ${list}`,
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

/** Removes equal failures: a failed login is one problem, however many secrets wait for it. */
function once(failures: readonly Failure[]): readonly Failure[] {
  return [...new Map(failures.map((one) => [`${one.code} ${one.place} ${one.seen}`, one])).values()];
}
