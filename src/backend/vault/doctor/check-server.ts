import { asFailure, fail, failure } from '../../../base/errors.ts';
import type { Examination } from '../../../base/examination.ts';
import { formatRoughly } from '../../../base/rough-duration.ts';
import { plainText } from '../../../base/value.ts';
import { type VaultAnswer, type VaultClient, VaultStatusError } from '../client/client.ts';

/** Clocks that differ by more than this are worth a warning, and by more than `MAX_SKEW_MS` a failure. */
const SMALL_SKEW_MS = 10_000;
/** Servers take the times of a JWT with a leeway of a minute. */
const MAX_SKEW_MS = 60_000;

/** Every state of the server is answered with 200: the body tells which it is. */
const ALL_ARE_FINE = Object.fromEntries(
  ['standbycode', 'sealedcode', 'uninitcode', 'drsecondarycode', 'performancestandbycode'].map((key) => [key, '200']),
);

/**
 * Asks the server for its health: GET sys/health, which needs no login. Compares its clock with ours by the Date header
 * of the answer. Resolves to whether a login is worth a try.
 * https://openbao.org/api-docs/system/health/
 */
export async function checkServer(examination: Examination, client: VaultClient, place: string): Promise<boolean> {
  const at = `${place}.address`;
  const askedWallMs = examination.clock.wallMs();
  let health: VaultAnswer;
  try {
    const call = { method: 'GET', path: 'sys/health', query: ALL_ARE_FINE, namespace: '', place: at } as const;
    health = await examination.inTime(at, (signal) => client.call({ ...call, idempotent: true }, signal));
  } catch (error) {
    const isForeign = error instanceof VaultStatusError;
    examination.skip('clock', at, 'the server did not tell its time');
    examination.refuse(
      'health',
      isForeign ? failure('BACKEND_MALFORMED', at, error.failure.seen) : asFailure(error, at),
    );
    return false;
  }
  const times = { at, askedWallMs, nowWallMs: examination.clock.wallMs() };
  const isClockRight = await examination.run('clock', at, async () => skewOf(health, times));
  const { body } = health;
  const isWell = await examination.run('health', at, async () => {
    const says = (key: string) => plainText(body.get(key)) === 'true';
    const known = plainText(body.get('version')) ?? 'unknown';
    const version = /^[\w.+-]{1,40}$/.test(known) ? known : 'unknown';
    if (!body.has('initialized'))
      throw fail('BACKEND_MALFORMED', at, `${client.address} does not answer as Vault does`);
    if (!says('initialized')) {
      const hint = 'Initialise the server (bao operator init), and unseal it.';
      throw fail('BACKEND_UNAVAILABLE', at, `the server at ${client.address} is not initialised`, { hint });
    }
    if (says('sealed')) {
      const hint = 'Unseal the server; the agent tries again by itself.';
      throw fail('BACKEND_UNAVAILABLE', at, `the server at ${client.address} is sealed`, { hint });
    }
    const role = says('standby') ? 'a standby, which passes requests on' : 'active';
    return `version ${version}, unsealed, ${role}`;
  });
  return isClockRight && isWell;
}

function skewOf(
  { headers }: VaultAnswer,
  { at, askedWallMs, nowWallMs }: { readonly at: string; readonly askedWallMs: number; readonly nowWallMs: number },
) {
  const theirs = Date.parse(headers['date'] ?? '');
  if (Number.isNaN(theirs)) return 'the server does not tell its time';
  // The header has whole seconds, and was written at some moment between the request and the answer.
  const ahead = Math.max(0, theirs - nowWallMs);
  const behind = Math.max(0, askedWallMs - (theirs + 1_000));
  const skewMs = ahead || behind;
  if (skewMs <= SMALL_SKEW_MS) return 'the clocks of the server and of this machine agree';
  const seen = `the clock of the server is ${formatRoughly(skewMs)} ${ahead > 0 ? 'ahead of' : 'behind'} this machine`;
  const hint = 'Set both clocks with NTP: logins and certificates are refused when they differ.';
  if (skewMs > MAX_SKEW_MS) throw fail('BACKEND_CLOCK', at, seen, { hint });
  return failure('BACKEND_CLOCK', at, seen, { hint });
}
