import type { Backend } from '../backend/backend.ts';
import type { Clock } from '../base/clock.ts';
import { asFailure, failure } from '../base/errors.ts';
import type { Emit } from '../base/fact.ts';
import type { LeaseManager } from '../lease/manager.ts';
import type { Replaced } from '../lease/replaced.ts';

export interface EndingCredentials {
  /** Those with `revokesOnExit`. */
  readonly backends: readonly Backend[];
  readonly manager: LeaseManager;
  /** Values that were replaced and have not ended. */
  readonly replaced: Iterable<Replaced>;
  readonly clock: Clock;
  readonly emit: Emit;
}

/** How long leases that do not end with their login may take, so that there is time for the login. */
const LEASES_MS = 1_000;
/** The requests for the leases are with the server by then, so it lets them in before the login is revoked. */
const HEAD_START_MS = 5;

/**
 * Ends the credentials of backends with `revokeOnExit`, bounded by `signal`. Ends the lease manager first, so that
 * nothing is fetched meanwhile. Each end is told as a fact, and each that failed. Never throws.
 *
 * A lease is revoked by a request of its own, shortly before the login: the server would end it with the login, but
 * some time later, and no answer would say so. That the policy does not allow it makes it that much slower. Leases that
 * do not end with their login (a batch token cannot be revoked) come before the login, and a failure is a warning.
 */
export async function endCredentials(ending: EndingCredentials, signal: AbortSignal): Promise<void> {
  const { backends, manager, replaced, clock, emit } = ending;
  const leases = [...manager.held(), ...replaced].filter(({ old }) => old.life.kind === 'lease');
  const stopped = manager[Symbol.asyncDispose]();
  const inTime = AbortSignal.any([signal, AbortSignal.timeout(LEASES_MS)]);
  await Promise.all(
    backends.map(async (backend) => {
      const own = leases.filter((lease) => lease.backend === backend);
      const revoked = Promise.all(own.filter(endsWithLogin).map((lease) => revokeLease(lease, emit, signal)));
      const others = own.filter((lease) => !endsWithLogin(lease));
      await Promise.all(others.map((lease) => revokeLease(lease, emit, inTime)));
      if (others.length < own.length) await Promise.race([revoked, clock.sleep(HEAD_START_MS, signal)]);
      await backend.revokeLogin?.(signal);
      await revoked;
    }),
  );
  await stopped;
}

function endsWithLogin({ backend, old: { life } }: Replaced): boolean {
  return life.kind === 'lease' && backend.endsLeases?.(life.loginId) !== false;
}

async function revokeLease(lease: Replaced, emit: Emit, signal: AbortSignal): Promise<void> {
  const { want, backend, names, old } = lease;
  const isTold = !endsWithLogin(lease); // what it is now: the login may be revoked when the answer comes
  try {
    await backend.source.revoke?.(want, old, signal);
    emit({ kind: 'secret-revoked', secrets: [...names], life: old.life.kind });
  } catch (error) {
    if (!isTold) return;
    const { code, seen } = asFailure(error, want.place);
    const why = code === 'CANCELLED' ? 'it took too long' : seen;
    const warning = failure('LEASE_NOT_REVOKED', want.place, `the lease could not be revoked at the end: ${why}`);
    emit({ kind: 'agent-warning', warning });
  }
}
