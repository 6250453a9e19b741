import type { Backend } from '../../backend/backend.ts';
import { isOutage } from '../../backend/outage.ts';
import type { LeaseManager } from '../../lease/manager.ts';
import { type Clocks, type KeptSecret, type LoginOfBackend, onWallClock } from '../../state/contents.ts';

/** What the secrets of this process leave to the next one. */
export interface CollectedSecrets {
  readonly secrets: readonly KeptSecret[];
  /** The ids of the wants whose value is known here, or known not to be there. */
  readonly known: ReadonlySet<string>;
}

/** Values that are good or stale. What files hold is not among them: they are there at the next start too. */
export function collectSecrets(manager: Pick<LeaseManager, 'entries'>, clocks: Clocks): CollectedSecrets {
  const secrets: KeptSecret[] = [];
  const known = new Set<string>();
  for (const [{ id, backend, request }, entry] of manager.entries()) {
    if (entry === undefined || request.kind === 'file') continue;
    if (entry.state === 'absent') {
      if (!isOutage(entry.why)) known.add(id);
      continue;
    }
    known.add(id);
    if (entry.state === 'expired') continue;
    const { fetchedWallMs, value } = entry;
    const { warning: _, ...kept } = value;
    secrets.push({ id, backend, fetchedWallMs, value: { ...kept, life: onWallClock(value.life, clocks) } });
  }
  return { secrets, known };
}

/** @param isLast the process ends: a login that it revokes now is of no use to the next one. */
export function collectLogins(
  backends: Iterable<Backend>,
  { wallMs, monoMs }: Clocks,
  isLast: boolean,
): readonly LoginOfBackend[] {
  const logins: LoginOfBackend[] = [];
  for (const { name, identity, loginToKeep } of backends) {
    const login = loginToKeep?.();
    if (login === undefined || (isLast && login.endsWithProcess)) continue;
    const startedMonoMs = login.startedMonoMs + wallMs - monoMs;
    logins.push({ backend: name, identity, login: { ...login, startedMonoMs } });
  }
  return logins;
}

/** Without the leases that no kept login goes with: they cannot be used without it. */
export function withLogins(secrets: Iterable<KeptSecret>, logins: readonly LoginOfBackend[]): readonly KeptSecret[] {
  const ids = new Map(logins.map(({ backend, login }) => [backend, login.loginId]));
  return [...secrets].filter(
    ({ backend, value: { life } }) => life.kind !== 'lease' || life.loginId === ids.get(backend),
  );
}
