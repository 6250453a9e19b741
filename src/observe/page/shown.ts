import type { OutputStatement, SecretStatus, Status } from '../../deliver/api/status.ts';
import type { Verdict } from '../health.ts';
import type { RecentEvent } from './recent-events.ts';

/** What the status page is made of: the status without paths and directories, health, and what happened lately. */
export interface Shown {
  readonly status: Status;
  readonly health: Verdict;
  readonly events: readonly RecentEvent[];
  renewalsOf(secret: string): readonly number[];
}

/** The name of a computed secret holds its path, and a space; no configured name has one. */
const COMPUTED = 'a computed secret';

/**
 * A status as everybody may see it who reaches the admin listener: names, states, times, addresses of backends and
 * failures, as health and metrics show them. Paths of computed secrets, directories, files of the configuration and
 * ETags are left out.
 */
export function withoutPaths(status: Status): Status {
  const nameOf = (name: string) => (name.includes(' ') ? COMPUTED : name);
  return {
    ...status,
    configuration: { ...status.configuration, files: [] },
    secrets: status.secrets.filter(({ computed }) => computed === undefined).map(withoutEtag),
    outputs: status.outputs.map(({ dir: _dir, missing, statement, ...output }) => ({
      ...output,
      secrets: output.secrets.map(nameOf),
      ...(missing === undefined ? {} : { missing: [...new Set(missing.map(nameOf))] }),
      ...(statement === undefined ? {} : { statement: statementWithoutPaths(statement, nameOf) }),
    })),
  };
}

function statementWithoutPaths({ secrets, ...statement }: OutputStatement, nameOf: (name: string) => string) {
  if (secrets === undefined) return statement;
  return { ...statement, secrets: secrets.map(({ name, ...secret }) => ({ ...secret, name: nameOf(name) })) };
}

const withoutEtag = ({ etag: _etag, ...secret }: SecretStatus): SecretStatus => secret;

/** How many rows a table has at most, those that need attention first. */
export const MAX_ROWS = 300;

const URGENCY: readonly SecretStatus['state'][] = ['expired', 'absent', 'waiting', 'stale', 'fresh'];

/** The secrets that a page lists: those that need attention first, otherwise as configured. */
export function byUrgency(secrets: readonly SecretStatus[]): readonly SecretStatus[] {
  const rankOf = ({ state, optional, warning }: SecretStatus) =>
    optional && state === 'absent' ? URGENCY.length : warning === undefined ? URGENCY.indexOf(state) : 3;
  return [...secrets].sort((a, b) => rankOf(a) - rankOf(b));
}
