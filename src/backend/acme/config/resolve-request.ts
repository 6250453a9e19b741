import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { domainToASCII } from 'node:url';
import type { BackendConfig } from '../../../config/config.ts';
import type { ConfigEntry } from '../../../config/load/entry.ts';
import type { Problems } from '../../../config/problems/problems.ts';
import { keyOf, type RefuseKey, renewalOf, upkeepOf } from '../../resolve-upkeep.ts';
import type { AcmeBackendConfig, AcmeRequest } from './config.ts';
import type { AcmeSecretShape } from './schemas.ts';

/** What every public issuer takes, and every client reads. */
const DEFAULT_KEY = { type: 'ec', curve: 'P-256' } as const;

/** Makes the request of a secret that has `acme`. Its backend may be of another kind, which is a problem of its own. */
export function resolveAcmeRequest(
  { acme }: { readonly acme: AcmeSecretShape },
  { file, path }: ConfigEntry,
  problems: Problems,
  backend: BackendConfig | undefined,
): AcmeRequest {
  const refuse: RefuseKey = (key, seen, hint) =>
    problems.add('CONFIG_INVALID', file, [...path, 'acme', ...key], seen, hint);
  const { names, profile, ca } = acme;
  for (const [i, name] of names.entries()) {
    if (!isName(name)) refuse(['names', i], 'a DNS name or an IP address is expected');
    else if (backend !== undefined && isAcme(backend)) refuseUnprovable(name, backend, refuse, i);
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

const isAcme = (backend: BackendConfig): backend is AcmeBackendConfig => backend.kind === 'acme';

/** Each of the two ways proves some names that the other one cannot. */
function refuseUnprovable(name: string, backend: AcmeBackendConfig, refuse: RefuseKey, i: number): void {
  const { dns01, http01 } = backend;
  if (name.startsWith('*.') && dns01 === undefined) {
    const hint = `Add dns01 to the backend ${backend.name}, or name each host.`;
    refuse(['names', i], 'a wildcard is proved by dns01 alone, which the backend does not have', hint);
  } else if (isIP(name) !== 0 && http01 === undefined) {
    const hint = `Add http01 to the backend ${backend.name}, or use a DNS name.`;
    refuse(['names', i], 'an IP address is proved by http01 alone, which the backend does not have', hint);
  }
}

function isName(name: string): boolean {
  if (isIP(name) !== 0) return true;
  const host = domainToASCII(name.replace(/^\*\./, ''));
  return /^(?=.{1,253}$)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*$/i.test(host);
}
