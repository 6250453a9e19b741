import type { AuthConfig } from './config/config.ts';
import type { VaultRequest } from './config/request.ts';
import type { PolicyLine } from './policy-lines.ts';

/** A line that the agent needs for its own work, whichever secrets it fetches. */
export interface AgentLine extends PolicyLine {
  readonly why: string;
}

/**
 * The lines of a policy that keep a login and its leases alive. The policy `default` allows all of them, and a role may
 * leave that policy out (`token_no_default_policy`).
 */
export function agentLinesOf(
  { method, revokeOnExit }: Pick<AuthConfig, 'method' | 'revokeOnExit'>,
  requests: readonly VaultRequest[],
): readonly AgentLine[] {
  const lookUp =
    method === 'token' ? 'reads the life of the token' : 'tells a denied path from a login that was revoked';
  const lines: AgentLine[] = [
    { path: 'auth/token/lookup-self', capabilities: ['read'], why: lookUp },
    { path: 'auth/token/renew-self', capabilities: ['update'], why: 'renews the login, and with it all leases' },
  ];
  const leased = requests.filter(({ kind }) => kind === 'vault-read' || kind === 'vault-write');
  if (leased.length > 0) {
    lines.push({ path: 'sys/leases/renew', capabilities: ['update'], why: 'renews the leases of secrets' });
  }
  const endsOld = leased.some(({ upkeep }) => upkeep?.revokeOldAfterMs !== undefined);
  if (endsOld || (revokeOnExit && leased.length > 0)) {
    const why = endsOld ? 'revokeOld ends replaced leases' : 'revokeOnExit ends leases at once, not some time later';
    lines.push({ path: 'sys/leases/revoke', capabilities: ['update'], why });
  }
  if (revokeOnExit) {
    lines.push({ path: 'auth/token/revoke-self', capabilities: ['update'], why: 'revokeOnExit ends the login' });
  }
  return lines;
}
