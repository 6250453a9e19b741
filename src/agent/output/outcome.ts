import type { Code } from '../../base/codes.ts';
import { type Failure, failure } from '../../base/errors.ts';
import { placeOfOutput } from '../../config/place.ts';
import type { OutputState } from '../../deliver/output-state.ts';
import type { SecretEntry } from '../../lease/snapshot.ts';

/**
 * Answers that another try within one `init` would not change. Everything else (no connection, 412, 429, 472, 473,
 * 5xx) is tried again until the deadline.
 */
const DEFINITE: ReadonlySet<Code> = new Set([
  'CONFIG_MISSING',
  'AUTH_CREDENTIAL_UNREADABLE',
  'AUTH_CREDENTIAL_EMPTY',
  'AUTH_WRAPPING_USED',
  'AUTH_WRAPPING_PATH',
  'AUTH_DENIED',
  'AUTH_UNUSABLE',
  'AUTH_NO_CREDENTIALS',
  'AUTH_EXPIRED',
  'BACKEND_REJECTED',
  'BACKEND_FILE',
  'BACKEND_TOO_LARGE',
  'SECRET_DENIED',
  'SECRET_NOT_FOUND',
  'SECRET_DELETED',
  'SECRET_DESTROYED',
  'SECRET_EMPTY',
  'SECRET_UNDECRYPTABLE',
  'SECRET_NOT_KV',
  'CERTIFICATE_UNFIT',
  'CERTIFICATE_REFUSED',
  'ACME_CHALLENGE_FAILED',
  'CERTIFICATE_CA_UNREADABLE',
] satisfies Code[]);

export type InitOutcome =
  /** Not yet; `output` is one that is not through. */
  | { readonly kind: 'running'; readonly output?: string }
  /** Every output is published with its newest values, and its application has taken it up. */
  | { readonly kind: 'done' }
  /** Another try would change nothing: each output is done, or has a definite reason why not. */
  | { readonly kind: 'failed'; readonly failures: readonly Failure[] };

/** How far a pipeline is. */
export interface Progress {
  /** Where each output stands, by name. */
  readonly outputs: ReadonlyMap<string, OutputState>;
  readonly entryOf: (name: string) => SecretEntry | undefined;
  /** See `Pipeline.troubleOf`. */
  readonly troubleOf: (name: string) => Failure | undefined;
  /** See `Pipeline.reasonMissing`. */
  readonly reasonMissing: (name: string) => Failure;
  /** The name of a secret's backend; undefined where only one is configured. */
  readonly backendOf?: (name: string) => string | undefined;
}

/**
 * Decides whether one pass of the pipeline has come to its end. A definite failure ends it only when the other secrets
 * have answered too, so that everything that is wrong is told at once.
 */
export function outcomeOf(progress: Progress): InitOutcome {
  // Outputs mostly end in their order: the last one that is not through stays so for longest.
  const running = [...progress.outputs].findLast(([, state]) => isRunning(state, progress));
  if (running !== undefined) return { kind: 'running', output: running[0] };
  const failures = new Failures();
  for (const state of progress.outputs.values()) {
    if ('why' in state && state.why !== undefined) failures.add(state.why);
    if ('held' in state && state.held !== undefined) failures.add(state.held.why);
    if (state.kind !== 'waiting') continue;
    for (const name of state.missing) {
      const why = isMissing(name, progress) ? whyMissing(name, progress) : undefined;
      if (why !== undefined) failures.add(withBackend(why, name, progress), name);
    }
  }
  const list = failures.list();
  return list.length === 0 ? { kind: 'done' } : { kind: 'failed', failures: list };
}

/** Whether the output may still come to another end without another try. */
function isRunning(state: OutputState, progress: Progress): boolean {
  if (state.kind === 'owed') return state.why === undefined;
  if (state.kind !== 'waiting') return false;
  let isDefinite = false;
  for (const name of state.missing) {
    if (!isMissing(name, progress)) continue;
    const why = whyMissing(name, progress);
    if (why === undefined || !DEFINITE.has(why.code)) return true;
    isDefinite = true;
  }
  return !isDefinite;
}

/** What is wrong at the deadline: at least one failure for every output that is not done. */
export function failuresAtDeadline(progress: Progress): readonly Failure[] {
  const failures = new Failures();
  for (const [output, state] of progress.outputs) {
    if ('held' in state && state.held !== undefined) failures.add(state.held.why);
    if (state.kind === 'settled' && state.why === undefined) continue;
    if ('why' in state && state.why !== undefined) {
      failures.add(state.why);
      continue;
    }
    const missing = state.kind === 'waiting' ? state.missing.filter((name) => isMissing(name, progress)) : [];
    for (const name of missing) {
      const why = whyMissing(name, progress);
      failures.add(why === undefined ? progress.reasonMissing(name) : withBackend(why, name, progress), name);
    }
    if (missing.length === 0) {
      failures.add(failure('INIT_TIMEOUT', placeOfOutput(output), 'the time was over before the output was done'));
    }
  }
  return failures.list();
}

/** Whether the secret has no value and needs one. */
function isMissing(name: string, { entryOf }: Progress): boolean {
  const entry = entryOf(name);
  return entry === undefined || (entry.state === 'absent' && !entry.optional);
}

/** Why a missing secret has no value; undefined: no answer has come, and its backend is in no trouble. */
function whyMissing(name: string, { entryOf, troubleOf }: Progress): Failure | undefined {
  const entry = entryOf(name);
  if (entry?.state === 'absent') return entry.why;
  return entry === undefined ? troubleOf(name) : undefined;
}

/** With several backends, a secret's failure also names the backend: it tells only the address that was asked. */
function withBackend(why: Failure, name: string, { backendOf }: Progress): Failure {
  const backend = why.place.startsWith('secrets.') ? backendOf?.(name) : undefined;
  return backend === undefined ? why : failure(why.code, why.place, `${why.seen}, backend ${backend}`, why);
}

/** How many secrets one failure names. */
const MAX_NAMES = 5;

/** Failures, each once. The failure of a backend stands for all secrets that wait for the backend, and names them. */
class Failures {
  readonly #byKey = new Map<string, { readonly why: Failure; readonly waiting: Set<string> }>();

  /** @param secret that fails for it; absent: an output does. */
  add(why: Failure, secret?: string): void {
    const key = `${why.code} ${why.place} ${why.seen}`;
    const known = this.#byKey.get(key) ?? { why, waiting: new Set() };
    this.#byKey.set(key, known);
    if (secret !== undefined && !why.place.startsWith('secrets.')) known.waiting.add(secret);
  }

  list(): readonly Failure[] {
    return [...this.#byKey.values()].map(({ why, waiting }) => {
      if (waiting.size === 0) return why;
      const names = [...waiting].slice(0, MAX_NAMES).join(', ');
      const others = waiting.size > MAX_NAMES ? ` and ${waiting.size - MAX_NAMES} others` : '';
      return failure(why.code, why.place, `${why.seen}; secrets that wait for it: ${names}${others}`, why);
    });
  }
}
