import type {
  BackendStatus,
  OutputStatement,
  OutputStatus,
  SdsStatus,
  SecretStatus,
  Status,
} from '../../deliver/api/status.ts';
import type { Verdict } from '../health.ts';
import type { HourMark } from './output-hours.ts';
import type { RecentEvent } from './recent-events.ts';

/** What the status page is made of: the status without paths and directories, health, and what happened lately. */
export interface Shown {
  readonly status: Status;
  readonly health: Verdict;
  readonly events: readonly RecentEvent[];
  renewalsOf(secret: string): readonly number[];
  hourOf(output: string): readonly HourMark[];
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

const SECRET_RANKS: readonly SecretStatus['state'][] = ['expired', 'absent', 'waiting', 'stale', 'fresh'];
const OUTPUT_RANKS: readonly OutputStatus['state'][] = ['failed', 'waiting', 'owed', 'settled'];
const SDS_RANKS: readonly SdsStatus['secrets'][number]['state'][] = ['missing', 'awaited', 'ready'];
const LOGIN_RANKS: readonly (NonNullable<BackendStatus['login']>['state'] | undefined)[] = ['dead', 'logging-in'];

/** The rows that a page lists come in this order: those that need attention first, otherwise as configured. */
const ranked = <T>(all: readonly T[], rankOf: (one: T) => number): readonly T[] =>
  [...all].sort((a, b) => rankOf(a) - rankOf(b));

export const secretsByUrgency = (all: readonly SecretStatus[]): readonly SecretStatus[] =>
  ranked(all, ({ state, optional, warning }) => {
    if (optional && state === 'absent') return SECRET_RANKS.length;
    return warning === undefined ? SECRET_RANKS.indexOf(state) : SECRET_RANKS.indexOf('stale');
  });

/** What is held back, changed on disk, or of older values comes with what is owed, though its state says settled. */
export const outputsByUrgency = (all: readonly OutputStatus[]): readonly OutputStatus[] =>
  ranked(all, ({ state, failure, held, drift, statement }) => {
    const isUneasy = failure !== undefined || held !== undefined || drift !== undefined || statement?.behind === true;
    return OUTPUT_RANKS.indexOf(state === 'settled' && isUneasy ? 'owed' : state);
  });

export const backendsByUrgency = (all: readonly BackendStatus[]): readonly BackendStatus[] =>
  ranked(all, ({ login, failure, events, circuit }) => {
    const rank = LOGIN_RANKS.indexOf(login?.state);
    if (rank >= 0) return rank;
    const isUneasy = failure !== undefined || events?.failure !== undefined || circuit?.probeAt !== undefined;
    return LOGIN_RANKS.length + (isUneasy ? 0 : 1);
  });

export const sdsByUrgency = ({ secrets }: SdsStatus): readonly SdsStatus['secrets'][number][] =>
  ranked(secrets, ({ state, refused }) => (refused === undefined ? SDS_RANKS.indexOf(state) : 0));
