import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { parseDuration } from '../../../base/duration.ts';
import type { LocalKey, PrivateKeyFormat } from '../../../certificate/local-key.ts';
import { trimSlashes } from '../../../config/api-path.ts';
import type { Renewal, RenewalWindow, Upkeep } from '../../../config/config.ts';
import type { ConfigEntry } from '../../../config/load/entry.ts';
import type { ConfigPath } from '../../../config/place.ts';
import type { Problems } from '../../../config/problems/problems.ts';
import type { CertificateRequest } from './request.ts';
import type { CertificateShape } from './request-schema.ts';

/** Makes the request of a secret that has `certificate`. */
export function resolveCertificate(
  shape: CertificateShape,
  { file, path }: ConfigEntry,
  problems: Problems,
): CertificateRequest {
  const refuse: Refuse = (key, seen, hint) =>
    problems.add('CONFIG_INVALID', file, [...path, 'certificate', ...key], seen, hint);
  const { issuer, issuerRef, role, commonName, altNames = [], ipSans = [], uriSans = [], otherSans = [] } = shape;
  for (const [i, address] of ipSans.entries()) {
    if (isIP(address) === 0) refuse(['ipSans', i], 'an IP address is expected');
  }
  const ttlMs = shape.ttl === undefined ? undefined : (parseDuration(shape.ttl) as number);
  const seconds = ttlMs === undefined ? undefined : Math.floor(ttlMs / 1000);
  if (seconds === 0) refuse(['ttl'], 'the life of a certificate is at least one second');
  if (ttlMs !== undefined && shape.notAfter !== undefined) {
    refuse(['notAfter'], 'there are both ttl and notAfter', 'Keep one of them.');
  }
  const renewal = renewalOf(shape);
  if (shape.renewBefore !== undefined && renewal?.beforeShare === undefined && renewal?.beforeMs === undefined) {
    refuse(['renewBefore'], 'a hundred years is the longest duration');
  }
  if (ttlMs !== undefined && (renewal?.beforeMs ?? 0) >= ttlMs) {
    refuse(['renewBefore'], 'it is not shorter than ttl', 'The certificate would be replaced as soon as it came.');
  }
  const upkeep = upkeepOf(shape, renewal);
  return {
    kind: 'vault-certificate',
    issuer: trimSlashes(issuer),
    ...(issuerRef === undefined ? {} : { issuerRef }),
    role,
    commonName,
    altNames,
    ipSans,
    uriSans,
    ...(otherSans.length === 0 ? {} : { otherSans }),
    // In seconds, the one unit that every version of the API takes.
    ...(seconds === undefined ? {} : { ttl: `${seconds}s` }),
    ...(shape.notAfter === undefined ? {} : { notAfter: shape.notAfter }),
    ...keyOf(shape, refuse),
    ...(shape.ca === undefined ? {} : { caFile: resolve(file.dir, shape.ca) }),
    ...(upkeep === undefined ? {} : { upkeep }),
  };
}

type Refuse = (key: ConfigPath, seen: string, hint?: string) => void;

/** RSA with 2048 bits, unless told otherwise: roles ask for that unless told otherwise. */
const DEFAULT_KEY: LocalKey = { type: 'rsa', bits: 2048 };

function keyOf(
  { key, privateKeyFormat }: CertificateShape,
  refuse: Refuse,
): Pick<CertificateRequest, 'key' | 'privateKeyFormat'> {
  const format: { privateKeyFormat?: PrivateKeyFormat } = privateKeyFormat === undefined ? {} : { privateKeyFormat };
  if (key === undefined) return format;
  if (key === 'local') return { key: DEFAULT_KEY, ...format };
  const { local, bits = 2048, curve = 'P-256', reuse = false } = key;
  if (key.bits !== undefined && local !== 'rsa')
    refuse(['key', 'bits'], `a key of type ${local} has no choice of bits`);
  if (key.curve !== undefined && local !== 'ec')
    refuse(['key', 'curve'], `a key of type ${local} has no choice of curve`);
  if (local === 'ed25519' && privateKeyFormat === 'traditional') {
    refuse(['privateKeyFormat'], 'a key of type ed25519 has only the format pkcs8', 'Remove it.');
  }
  const kinds = { rsa: { type: 'rsa', bits }, ec: { type: 'ec', curve }, ed25519: { type: 'ed25519' } } as const;
  return { key: { ...kinds[local], ...(reuse ? { reuse } : {}) }, ...format };
}

function upkeepOf({ clockSkew, revokeOld }: CertificateShape, renewal: Renewal | undefined): Upkeep | undefined {
  const upkeep: Upkeep = {
    ...(renewal === undefined ? {} : { renewal }),
    ...(clockSkew === undefined ? {} : { clockSkewMs: parseDuration(clockSkew) as number }),
    ...(revokeOld === undefined ? {} : { revokeOldAfterMs: parseDuration(revokeOld.after) as number }),
  };
  return Object.keys(upkeep).length === 0 ? undefined : upkeep;
}

function renewalOf({ renewBefore, renewAt }: CertificateShape): Renewal | undefined {
  if (renewBefore === undefined && renewAt === undefined) return undefined;
  const share = renewBefore?.endsWith('%') ? Number(renewBefore.slice(0, -1)) / 100 : undefined;
  const beforeMs = renewBefore === undefined || share !== undefined ? undefined : parseDuration(renewBefore);
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
