import type { BackendStatus, OutputStatus, SecretStatus } from '../../../deliver/api/status.ts';
import type { Look } from './line.ts';

export const OUTPUT_LOOKS: Readonly<Record<OutputStatus['state'], readonly [string, 'good' | 'warn' | 'bad']>> = {
  waiting: ['waiting', 'bad'],
  failed: ['failed', 'bad'],
  owed: ['reload owed', 'warn'],
  settled: ['taken up', 'good'],
};

/** An output whose files are not what they should be needs attention, though its application has taken them up. */
export function outputLook({ state, failure, held, drift }: OutputStatus): 'good' | 'warn' | 'bad' {
  const [, look] = OUTPUT_LOOKS[state];
  const isUneasy = failure !== undefined || held !== undefined || drift !== undefined;
  return look === 'good' && isUneasy ? 'warn' : look;
}

const SECRET_LOOKS: Readonly<Record<SecretStatus['state'], 'good' | 'warn' | 'bad'>> = {
  waiting: 'bad',
  absent: 'bad',
  fresh: 'good',
  stale: 'warn',
  expired: 'bad',
};

export function secretLook({ state, optional, warning }: SecretStatus): 'good' | 'warn' | 'bad' | 'plain' {
  if (optional && (state === 'absent' || state === 'waiting')) return 'plain';
  return state === 'fresh' && warning !== undefined ? 'warn' : SECRET_LOOKS[state];
}

export const LOGIN_LOOKS: Readonly<Record<NonNullable<BackendStatus['login']>['state'], Look>> = {
  out: 'dim',
  'logging-in': 'warn',
  live: 'good',
  renewing: 'good',
  replacing: 'good',
  dead: 'bad',
  stopped: 'dim',
};

/** A backend that fails needs attention, also while its login is live. */
export function loginLook({ login, failure }: BackendStatus): Look {
  const look = login === undefined ? 'plain' : LOGIN_LOOKS[login.state];
  return failure !== undefined && look !== 'bad' ? 'warn' : look;
}

const RANKS: readonly Look[] = ['bad', 'warn', 'good', 'plain', 'dim'];

/** Those that need attention first, otherwise as configured: what does not fit is cut from the end. */
export const byUrgency = <T>(all: readonly T[], lookOf: (one: T) => Look): readonly T[] =>
  [...all].sort((a, b) => RANKS.indexOf(lookOf(a)) - RANKS.indexOf(lookOf(b)));
