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
  const renewsLeases = [...requests].some(({ kind }) => leased(kind));
  const renewal: AgentLine = {
    path: 'sys/leases/renew',
    capabilities: ['update'],
    why: 'renews the leases of secrets',
  };
  if (method === 'none') return renewsLeases ? [renewal] : [];
  const lookUp =
    method === 'token' ? 'reads the life of the token' : 'tells a denied path from a login that was revoked';
  const lines: AgentLine[] = [
    { path: 'auth/token/lookup-self', capabilities: ['read'], why: lookUp },
    { path: 'auth/token/renew-self', capabilities: ['update'], why: 'renews the login, and with it all leases' },
  ];
  if (renewsLeases) lines.push(renewal);
  const endsOld = requests.some(({ upkeep, kind }) => leased(kind) && upkeep?.revokeOldAfterMs !== undefined);
  if (endsOld || (revokeOnExit && renewsLeases)) {
    const why = endsOld ? 'revokeOld ends replaced leases' : 'revokeOnExit ends leases at once, not some time later';
    lines.push({ path: 'sys/leases/revoke', capabilities: ['update'], why });
  }
  if (revokeOnExit) {
    lines.push({ path: 'auth/token/revoke-self', capabilities: ['update'], why: 'revokeOnExit ends the login' });
  }
  return lines;
}

function leased(kind: string): boolean {
  return kind === 'vault-read' || kind === 'vault-write';
}
