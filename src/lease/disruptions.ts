import type { Backend, Life } from '../backend/backend.ts';
import type { Emit } from '../base/fact.ts';
import type { Attempts } from './attempts.ts';
import type { BackendLogins } from './backend-logins.ts';
import type { Deadlines } from './deadlines.ts';
import { type Item, lifeOf } from './item.ts';
import type { ItemWriter } from './item-writer.ts';
import type { Snapshots } from './snapshots.ts';

/** What the functions here act with when many items are concerned at once. */
export interface DisruptionContext {
  readonly emit: Emit;
  readonly attempts: Attempts;
  readonly deadlines: Deadlines;
  readonly logins: BackendLogins;
  readonly writer: ItemWriter;
  readonly snapshots: Snapshots;
  /** The items that there are now. */
  items(): Iterable<Item>;
}

/** Fetches the leases of older logins under the newest one; resolves when each was tried once. */
export async function moveLeases({ items, attempts, logins }: DisruptionContext, backend: Backend): Promise<void> {
  const old = [...items()].filter((item) => item.backend === backend && logins.hasLeaseOfOldLogin(item));
  await Promise.all(old.map((item) => attempts.moveToNewLogin(item)));
}

/** Leases end with their login, so those of a login that ended early expire now. */
export function expireLeases({ items, deadlines }: DisruptionContext, backend: Backend): void {
  for (const item of items()) {
    if (item.backend === backend && lifeOf(item)?.kind === 'lease') deadlines.planExpiry(item);
  }
}

/** What failed while the backend did not answer is tried for before its time, see `triedWithinMs`. */
export function bringForward({ items, deadlines }: DisruptionContext, backend: Backend, outageMs: number): void {
  for (const item of items()) {
    if (item.backend === backend && item.running === undefined) deadlines.bringForward(item, outageMs);
  }
}

/**
 * A jump forward may have been a suspension, during which lives went on at the backends while the monotonic clock
 * stood still: lives are shortened by the jump. Then everything is planned anew, spread over some seconds.
 */
export function clockJumped(context: DisruptionContext, byMs: number): void {
  const { emit, logins, items, writer, snapshots, deadlines } = context;
  emit({ kind: 'clock-jumped', byMs: Math.round(byMs) });
  logins.clockJumped(byMs);
  for (const item of items()) {
    const life = lifeOf(item);
    const left = byMs > 0 && life !== undefined ? shortened(life, byMs) : life;
    if (left !== undefined && left !== life) {
      writer.setLife(item, left);
      snapshots.changed();
    }
    deadlines.planExpiry(item);
    if (item.running === undefined && item.entry !== undefined) deadlines.planNextSpread(item);
  }
}

/** What is left of a life after `byMs` that the monotonic clock did not count. */
function shortened(life: Life, byMs: number): Life {
  if (life.kind === 'lease' || life.kind === 'rotates') return { ...life, startedMonoMs: life.startedMonoMs - byMs };
  if (life.kind !== 'ends' || life.clock !== 'mono') return life;
  return { ...life, startMs: life.startMs - byMs, endMs: life.endMs - byMs };
}
