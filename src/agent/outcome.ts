import type { Code } from '../base/codes.ts';
import { type Failure, failure } from '../base/errors.ts';
import type { Snapshot } from '../lease/snapshot.ts';
import type { OutputState } from './output-loop.ts';

/**
 * Answers that another try within one `init` would not change. Everything else (no connection, 412, 429, 472, 473,
 * 5xx) is tried again until the deadline.
 */
const DEFINITE: ReadonlySet<Code> = new Set([
  'AUTH_CREDENTIAL_UNREADABLE',
  'AUTH_CREDENTIAL_EMPTY',
  'AUTH_DENIED',
  'AUTH_UNUSABLE',
  'BACKEND_REJECTED',
  'BACKEND_FILE',
  'BACKEND_TOO_LARGE',
  'SECRET_DENIED',
  'SECRET_NOT_FOUND',
  'SECRET_DELETED',
  'SECRET_DESTROYED',
  'SECRET_EMPTY',
] satisfies Code[]);

export type Outcome =
  | { readonly kind: 'running' }
  /** Every output is published and taken up. */
  | { readonly kind: 'done' }
  /** Nothing more will come: each output is done, or has a definite reason why not. */
  | { readonly kind: 'failed'; readonly failures: readonly Failure[] };

export interface Progress {
  readonly outputs: ReadonlyMap<string, OutputState>;
  readonly snapshot: Snapshot;
  /** See Pipeline.silence. */
  readonly silence: (name: string) => Failure;
}

/**
 * Pure: whether one pass has come to its end. A definite failure ends it only when the other secrets have answered
 * too, so that all that is wrong is told at once.
 */
export function outcomeOf(progress: Progress): Outcome {
  const failures = new Map<string, Failure>();
  for (const state of progress.outputs.values()) {
    if (state.kind === 'owed' && state.why === undefined) return { kind: 'running' };
    if (state.kind === 'owed' || state.kind === 'failed') {
      if (state.why !== undefined) failures.set(keyOf(state.why), state.why);
    } else if (state.kind === 'waiting') {
      if (state.missing.length === 0) return { kind: 'running' };
      for (const name of state.missing) {
        const why = whyMissing(name, progress);
        if (why === undefined || !DEFINITE.has(why.code)) return { kind: 'running' };
        failures.set(keyOf(why), why);
      }
    }
  }
  return failures.size === 0 ? { kind: 'done' } : { kind: 'failed', failures: [...failures.values()] };
}

/** What is wrong at the deadline: at least one failure for every output that is not done. */
export function failuresAtDeadline(progress: Progress): readonly Failure[] {
  const failures = new Map<string, Failure>();
  const add = (why: Failure) => failures.set(keyOf(why), why);
  for (const [output, state] of progress.outputs) {
    if (state.kind === 'settled') continue;
    if ('why' in state && state.why !== undefined) {
      add(state.why);
      continue;
    }
    const missing = state.kind === 'waiting' ? state.missing.filter((name) => isMissing(name, progress)) : [];
    for (const name of missing) add(whyMissing(name, progress) ?? progress.silence(name));
    if (missing.length === 0) add(failure('INIT_TIMEOUT', `outputs.${output}`, 'the time was over before it was done'));
  }
  return [...failures.values()];
}

function isMissing(name: string, { snapshot }: Progress): boolean {
  const entry = snapshot.get(name);
  return entry === undefined || entry.state === 'absent';
}

function whyMissing(name: string, { snapshot, silence }: Progress): Failure | undefined {
  const entry = snapshot.get(name);
  if (entry?.state === 'absent') return entry.why;
  const why = silence(name);
  return entry === undefined && why.code !== 'SECRET_NEVER_FETCHED' ? why : undefined;
}

function keyOf({ code, place, seen }: Failure): string {
  return `${code} ${place} ${seen}`;
}
