import type { Clock } from '../../../base/clock.ts';
import { fail } from '../../../base/errors.ts';
import { type Fields, isSecret, plainNumber, plainText, type Value } from '../../../base/value.ts';
import type { EndingLife } from '../../backend.ts';
import type { AuthorizedAnswer } from '../auth/authorized.ts';
import type { EndField, EndUnit } from '../config/request.ts';

/** An end that an answer states. */
interface End {
  readonly clock: 'mono' | 'wall';
  /** For `wall` a point in time; for `mono` a duration from the request. */
  readonly ms: number;
  /** The field that counts down to the end. It differs in each answer, which is no change of the value. */
  readonly countdown?: string;
}

export interface AskedEnd {
  /** The configured field; undefined: the fields that engines are known to use. */
  readonly end: EndField | undefined;
  /** See `EndingLife`. */
  readonly mints: boolean;
  readonly place: string;
  readonly clock: Clock;
}

/** A JWT: header, payload, signature; each of the first two is JSON in base64url, which begins with `{"`. */
const JWT = /^ey[\w-]+\.(ey[\w-]+)\.[\w-]*$/;
const MAX_JWT_LENGTH = 65_536;

/** A larger number is not Unix seconds: it would be after the year 5138, and is a present time in milliseconds. */
const MAX_UNIX_SECONDS = 1e11;

const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/i;

const SCALE: Readonly<Record<EndUnit, { readonly clock: End['clock']; readonly ms: number }>> = {
  'unix-seconds': { clock: 'wall', ms: 1000 },
  'unix-milliseconds': { clock: 'wall', ms: 1 },
  seconds: { clock: 'mono', ms: 1000 },
  milliseconds: { clock: 'mono', ms: 1 },
};

/**
 * Reads the life of an answer without a lease that states its own end; undefined when it states none, or that it never
 * ends. `countdown` names a field whose change alone is no change of the value.
 *
 * Without a configured field these count: `expiration` in Unix seconds (the PKI engine), the `exp` of a JWT
 * (https://www.rfc-editor.org/rfc/rfc7519#section-4.1.4), and beside a JWT a `ttl` in seconds (the OIDC tokens of
 * identities). Elsewhere a `ttl` is a setting as often as a life. Answers of KV version 1, which have a duration
 * without a lease, are not searched: their fields are the user's own.
 * @throws PannierError BACKEND_MALFORMED when the configured field is missing or holds no time.
 */
export function readEnd(
  { body, startedMonoMs }: Pick<AuthorizedAnswer, 'body' | 'startedMonoMs'>,
  fields: Fields,
  { end, mints, place, clock: now }: AskedEnd,
): { readonly life: EndingLife; readonly countdown?: string } | undefined {
  const startedWallMs = now.wallMs() - now.monoMs() + startedMonoMs;
  const found = end === undefined ? knownEnd(body, fields) : configuredEnd(fields, end, place);
  if (found === undefined) return undefined;
  const { clock, ms, countdown } = found;
  const startMs = clock === 'wall' ? startedWallMs : startedMonoMs;
  const endMs = clock === 'wall' ? ms : startedMonoMs + ms;
  return { life: { kind: 'ends', clock, startMs, endMs, mints }, ...(countdown === undefined ? {} : { countdown }) };
}

function knownEnd(body: Fields, fields: Fields): End | undefined {
  if ((plainNumber(body.get('lease_duration')) ?? 0) > 0) return undefined;
  const expiration = plainNumber(fields.get('expiration')) ?? 0;
  const jwtEnds = [...fields.values()].flatMap(jwtEnd);
  const ttl = plainNumber(fields.get('ttl')) ?? 0;
  // A duration does not depend on the clocks of both machines being equal, so it is preferred to the time in the JWT.
  if (ttl > 0 && jwtEnds.length > 0) return { clock: 'mono', ms: ttl * 1000, countdown: 'ttl' };
  const ends = expiration > 0 && expiration < MAX_UNIX_SECONDS ? [...jwtEnds, expiration * 1000] : jwtEnds;
  return ends.length === 0 ? undefined : { clock: 'wall', ms: Math.min(...ends) };
}

function jwtEnd(value: Value): number[] {
  const text = isSecret(value) && value.type === 'string' ? plainText(value) : undefined;
  const payload = text === undefined || text.length > MAX_JWT_LENGTH ? undefined : JWT.exec(text)?.[1];
  if (payload === undefined) return [];
  try {
    const { exp } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { readonly exp?: unknown };
    return typeof exp === 'number' && exp > 0 ? [exp * 1000] : [];
  } catch {
    return []; // the text only looked like a JWT
  }
}

function configuredEnd(fields: Fields, { field, unit }: EndField, place: string): End | undefined {
  const value = fields.get(field);
  const wrong = (seen: string, hint: string) => fail('BACKEND_MALFORMED', place, seen, { hint });
  if (value === undefined) {
    throw wrong(`the answer has no field ${field}, which end names`, 'Name a field of the answer in end.');
  }
  if (isSecret(value) && value.type === 'null') return undefined;
  const number = plainNumber(value);
  if (number !== undefined) {
    if (unit === undefined && number > MAX_UNIX_SECONDS) {
      throw wrong(
        `the field ${field} holds a number that is too large for Unix seconds`,
        'Name the unit: end: { field, unit }.',
      );
    }
    const { clock, ms } = SCALE[unit ?? 'unix-seconds'];
    // Servers write zero for "never".
    if (number === 0 && clock === 'wall') return undefined;
    return { clock, ms: number * ms, ...(clock === 'mono' ? { countdown: field } : {}) };
  }
  const text = plainText(value);
  const ms = unit === undefined && text !== undefined && RFC_3339.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms)) {
    const wanted = unit === undefined ? 'Unix seconds nor RFC 3339 text' : 'number';
    throw wrong(`the field ${field} holds ${unit === undefined ? 'neither' : 'no'} ${wanted}`, 'See end and its unit.');
  }
  // The zero time of Go, 0001-01-01T00:00:00Z, means "never" too.
  return ms <= 0 ? undefined : { clock: 'wall', ms };
}
