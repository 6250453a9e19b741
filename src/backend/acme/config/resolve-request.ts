import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { domainToASCII } from 'node:url';
import type { ConfigEntry } from '../../../config/load/entry.ts';
import type { Problems } from '../../../config/problems/problems.ts';
import { keyOf, type RefuseKey, renewalOf, upkeepOf } from '../../resolve-upkeep.ts';
import type { AcmeRequest } from './config.ts';
import type { AcmeSecretShape } from './schemas.ts';

/** What every public issuer takes, and every client reads. */
const DEFAULT_KEY = { type: 'ec', curve: 'P-256' } as const;

/** Makes the request of a secret that has `acme`. */
export function resolveAcmeRequest(
  { acme }: { readonly acme: AcmeSecretShape },
  { file, path }: ConfigEntry,
  problems: Problems,
): AcmeRequest {
  const refuse: RefuseKey = (key, seen, hint) =>
    problems.add('CONFIG_INVALID', file, [...path, 'acme', ...key], seen, hint);
  const { names, profile, ca } = acme;
  for (const [i, name] of names.entries()) {
    if (!isName(name)) refuse(['names', i], 'a DNS name or an IP address is expected');
  }
  const upkeep = upkeepOf(acme, renewalOf(acme, refuse));
  const { key = DEFAULT_KEY, ...format } = keyOf({ ...acme, key: acme.key ?? 'local' }, DEFAULT_KEY, refuse);
  return {
    kind: 'acme',
    names,
    key,
    ...format,
    ...(profile === undefined ? {} : { profile }),
    ...(ca === undefined ? {} : { caFile: resolve(file.dir, ca) }),
    ...(upkeep === undefined ? {} : { upkeep }),
  };
}

function isName(name: string): boolean {
  if (isIP(name) !== 0) return true;
  const host = domainToASCII(name.replace(/^\*\./, ''));
  return /^(?=.{1,253}$)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*$/i.test(host);
}
