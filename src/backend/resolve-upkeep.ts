import { parseDuration } from '../base/duration.ts';
import type { LocalKey, PrivateKeyFormat } from '../certificate/local-key.ts';
import type { Renewal, RenewalWindow, Upkeep } from '../config/config.ts';
import type { ConfigPath } from '../config/place.ts';
import type { LocalKeyShape } from './certificate-schemas.ts';

/**
 * Keys of a certificate that every kind of backend that issues some resolves in the same way. The schemas of
 * `certificate-schemas.ts` have checked their form.
 */

/** Adds a problem with a key of the certificate. */
export type RefuseKey = (key: ConfigPath, seen: string, hint?: string) => void;

interface KeyShape {
  readonly key?: LocalKeyShape;
  readonly privateKeyFormat?: PrivateKeyFormat | undefined;
}

interface RenewalShape {
  readonly renewBefore?: string | undefined;
  readonly renewAt?: string | undefined;
}

/** The kind of key that is made on this machine; none is made without `key`. @param local what `local` stands for. */
export function keyOf(
  { key, privateKeyFormat }: KeyShape,
  local: LocalKey,
  refuse: RefuseKey,
): { readonly key?: LocalKey & { readonly reuse?: true }; readonly privateKeyFormat?: PrivateKeyFormat } {
  const format: { privateKeyFormat?: PrivateKeyFormat } = privateKeyFormat === undefined ? {} : { privateKeyFormat };
  if (key === undefined) return format;
  if (key === 'local') return { key: local, ...format };
  const { local: type, bits = 2048, curve = 'P-256', reuse = false } = key;
  if (key.bits !== undefined && type !== 'rsa') refuse(['key', 'bits'], `a key of type ${type} has no choice of bits`);
  if (key.curve !== undefined && type !== 'ec')
    refuse(['key', 'curve'], `a key of type ${type} has no choice of curve`);
  if (type === 'ed25519' && privateKeyFormat === 'traditional') {
    refuse(['privateKeyFormat'], 'a key of type ed25519 has only the format pkcs8', 'Remove it.');
  }
  const kinds = { rsa: { type: 'rsa', bits }, ec: { type: 'ec', curve }, ed25519: { type: 'ed25519' } } as const;
  return { key: { ...kinds[type], ...(reuse ? { reuse } : {}) }, ...format };
}

/** Undefined when nothing differs from what is done without these keys. */
export function upkeepOf(
  { clockSkew }: { readonly clockSkew?: string | undefined },
  renewal: Renewal | undefined,
  revokeOldAfterMs?: number,
): Upkeep | undefined {
  const upkeep: Upkeep = {
    ...(renewal === undefined ? {} : { renewal }),
    ...(clockSkew === undefined ? {} : { clockSkewMs: parseDuration(clockSkew) as number }),
    ...(revokeOldAfterMs === undefined ? {} : { revokeOldAfterMs }),
  };
  return Object.keys(upkeep).length === 0 ? undefined : upkeep;
}

/** When the certificate is replaced; undefined without these keys. */
export function renewalOf({ renewBefore, renewAt }: RenewalShape, refuse: RefuseKey): Renewal | undefined {
  if (renewBefore === undefined && renewAt === undefined) return undefined;
  const share = renewBefore?.endsWith('%') ? Number(renewBefore.slice(0, -1)) / 100 : undefined;
  const beforeMs = renewBefore === undefined || share !== undefined ? undefined : parseDuration(renewBefore);
  if (renewBefore !== undefined && share === undefined && beforeMs === undefined) {
    refuse(['renewBefore'], 'a hundred years is the longest duration');
  }
  return {
    ...(share === undefined ? {} : { beforeShare: share }),
    ...(beforeMs === undefined ? {} : { beforeMs }),
    ...(renewAt === undefined ? {} : { window: windowOf(renewAt) }),
  };
}

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

/** `Mon-Wed,Fri 22:00-01:00 UTC`; the schema has checked its form. */
function windowOf(text: string): RenewalWindow {
  const [, days = 'Sun-Sat', from = '', to = '', utc] =
    /^(?:([A-Za-z,-]+) )?(\d\d:\d\d)-(\d\d:\d\d)( UTC)?$/.exec(text) ?? [];
  const minutes = (time: string) => Number(time.slice(0, 2)) * 60 + Number(time.slice(3));
  const numbers = days.split(',').flatMap((part) => {
    const [first = 0, last = first] = part.split('-').map((day) => DAYS.indexOf(day));
    return Array.from({ length: ((last - first + 7) % 7) + 1 }, (_, i) => (first + i) % 7);
  });
  return {
    days: [...new Set(numbers)].sort(),
    from: minutes(from),
    to: minutes(to),
    ...(utc === undefined ? {} : { utc: true }),
  };
}
