import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { parseDuration } from '../../../base/duration.ts';
import type { LocalKey } from '../../../certificate/local-key.ts';
import { trimSlashes } from '../../../config/api-path.ts';
import type { ConfigEntry } from '../../../config/load/entry.ts';
import type { Problems } from '../../../config/problems/problems.ts';
import { keyOf, type RefuseKey, renewalOf, upkeepOf } from '../../resolve-upkeep.ts';
import type { CertificateRequest } from './request.ts';
import type { CertificateShape } from './request-schema.ts';

/** RSA with 2048 bits, unless told otherwise: roles ask for that unless told otherwise. */
const DEFAULT_KEY: LocalKey = { type: 'rsa', bits: 2048 };

/** Whether a text can be a DNS name, which may begin with `*.`, or an e-mail address. Others are up to the role. */
const isName = (text: string): boolean => text !== '' && !/[\s\p{C},;:/\\"'()<>[\]]/u.test(text);

/**
 * Whether a text can be a URI in a certificate as it stands: the server would write a space in another way, so that
 * each certificate lacked what was asked for.
 */
const isUri = (text: string): boolean => /^[a-z][a-z0-9+.-]*:[!-~]+$/i.test(text);

const MAPPED = 'Write it as an IPv4 address, such as 10.0.0.7.';

/** Makes the request of a secret that has `certificate`. */
export function resolveCertificate(
  shape: CertificateShape,
  { file, path }: ConfigEntry,
  problems: Problems,
): CertificateRequest {
  const refuse: RefuseKey = (key, seen, hint) =>
    problems.add('CONFIG_INVALID', file, [...path, 'certificate', ...key], seen, hint);
  const { issuer, issuerRef, role, commonName, altNames = [], ipSans = [], uriSans = [], otherSans = [] } = shape;
  for (const [i, address] of ipSans.entries()) {
    if (isIP(address) === 0) refuse(['ipSans', i], 'an IP address is expected');
    else if (/^::ffff:/i.test(address)) refuse(['ipSans', i], 'an IPv4 address in IPv6 is in no certificate', MAPPED);
  }
  for (const [i, name] of altNames.entries()) {
    if (!isName(name))
      refuse(['altNames', i], 'a DNS name or an e-mail address is expected', 'See ipSans and uriSans for others.');
  }
  for (const [i, uri] of uriSans.entries()) {
    if (!isUri(uri)) refuse(['uriSans', i], 'a URI is expected', 'Write spaces and other scripts as %20 and so on.');
    else if (shape.key === undefined && uri.includes(',')) {
      // The names are sent in one text then, and not in a signing request.
      refuse(['uriSans', i], 'the server takes a comma as the end of a URI', 'Write %2C, or add key: local.');
    }
  }
  if (shape.notAfter !== undefined && Date.parse(shape.notAfter) <= Date.now()) {
    // Only a warning: an agent that is started again later must not lose its other secrets.
    const at = [...path, 'certificate', 'notAfter'];
    problems.warn('CONFIG_INVALID', file, at, 'this time is over', 'Name one that is to come, or use ttl.');
  }
  const ttlMs = shape.ttl === undefined ? undefined : (parseDuration(shape.ttl) as number);
  const seconds = ttlMs === undefined ? undefined : Math.floor(ttlMs / 1000);
  if (seconds === 0) refuse(['ttl'], 'the life of a certificate is at least one second');
  if (ttlMs !== undefined && shape.notAfter !== undefined) {
    refuse(['notAfter'], 'there are both ttl and notAfter', 'Keep one of them.');
  }
  const renewal = renewalOf(shape, refuse);
  if (ttlMs !== undefined && (renewal?.beforeMs ?? 0) >= ttlMs) {
    refuse(['renewBefore'], 'it is not shorter than ttl', 'The certificate would be replaced as soon as it came.');
  }
  const revokeOldAfterMs = shape.revokeOld === undefined ? undefined : parseDuration(shape.revokeOld.after);
  const upkeep = upkeepOf(shape, renewal, revokeOldAfterMs);
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
    ...keyOf(shape, DEFAULT_KEY, refuse),
    ...(shape.ca === undefined ? {} : { caFile: resolve(file.dir, shape.ca) }),
    ...(upkeep === undefined ? {} : { upkeep }),
  };
}
