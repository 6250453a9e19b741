import { resolve } from 'node:path';
import { parseDuration } from '../../../base/duration.ts';
import { Secret } from '../../../base/secret.ts';
import { parseAddress } from '../../../config/address.ts';
import { parseHostPort } from '../../../config/host-port.ts';
import type { ConfigEntry } from '../../../config/load/entry.ts';
import { type ConfigPath, pathKey } from '../../../config/place.ts';
import type { ResolveContext } from '../../../config/resolve-context.ts';
import { resolveCommand } from '../../../config/sections/outputs/resolve-reload.ts';
import type { AcmeAccountConfig, AcmeBackendConfig, Dns01Config, ExternalAccount, Http01Config } from './config.ts';
import type { AcmeShape } from './schemas.ts';

const TIMEOUT_MS = 10_000;

/** Resolves a backend of kind `acme`. Undefined when a problem was added. */
export function resolveAcme(
  name: string,
  shape: AcmeShape,
  entry: ConfigEntry,
  context: ResolveContext,
): AcmeBackendConfig | undefined {
  const { file, path } = entry;
  const { problems } = context;
  const before = problems.count;
  const { directory, tls = {} } = shape;
  const address = /^https?:/i.test(directory) ? parseAddress(directory) : { wrong: 'a URL with https is expected' };
  if (address.wrong !== undefined) problems.add('CONFIG_INVALID', file, [...path, 'directory'], address.wrong);
  const account = resolveAccount(shape, entry, context);
  if (shape.http01 === undefined && shape.dns01 === undefined) {
    const hint = 'Add http01 or dns01: the server must see that the names belong to this machine.';
    problems.add('CONFIG_MISSING', file, [...path, 'http01'], 'absent, and dns01 too', hint);
  }
  const dns01 = shape.dns01 === undefined ? undefined : resolveDns01(shape.dns01, entry, context);
  if (problems.count > before) return undefined;
  return {
    kind: 'acme',
    name,
    address: directory,
    tls: {
      ...(tls.caFile === undefined ? {} : { caFile: resolve(file.dir, tls.caFile) }),
      ...(tls.serverName === undefined ? {} : { serverName: tls.serverName }),
      skipVerify: false,
    },
    timeoutMs: shape.timeout === undefined ? TIMEOUT_MS : (parseDuration(shape.timeout) as number),
    account,
    ...(shape.http01 === undefined ? {} : { http01: parseHostPort(shape.http01.listen) as Http01Config }),
    ...(dns01 === undefined ? {} : { dns01 }),
  };
}

function resolveAccount(
  { accountKey, accountKeyFile, contact = [], termsAgreed = false, eab }: AcmeShape,
  entry: ConfigEntry,
  context: ResolveContext,
): AcmeAccountConfig {
  const { file, path } = entry;
  for (const [i, address] of contact.entries()) {
    if (/^[^@\s]+@[^@\s]+$/.test(address)) continue;
    context.problems.add('CONFIG_INVALID', file, [...path, 'contact', i], 'an e-mail address is expected');
  }
  const names = { literal: 'accountKey', file: 'accountKeyFile' };
  const key = resolveKey({ literal: accountKey, file: accountKeyFile }, names, [], entry, context);
  return {
    ...(key.literal === undefined ? {} : { key: key.literal }),
    ...(key.file === undefined ? {} : { keyFile: key.file }),
    contact: contact.map((address) => `mailto:${address}`),
    termsAgreed,
    ...(eab === undefined ? {} : { eab: resolveEab(eab, entry, context) }),
  };
}

function resolveEab(
  { keyId, hmacKey, hmacKeyFile }: NonNullable<AcmeShape['eab']>,
  entry: ConfigEntry,
  context: ResolveContext,
): ExternalAccount {
  const names = { literal: 'hmacKey', file: 'hmacKeyFile' };
  const key = resolveKey({ literal: hmacKey, file: hmacKeyFile }, names, ['eab'], entry, context);
  return {
    keyId,
    ...(key.literal === undefined ? {} : { hmacKey: key.literal }),
    ...(key.file === undefined ? {} : { hmacKeyFile: key.file }),
  };
}

/** A key that stands in the configuration or in a file; exactly one of the two must be given. */
function resolveKey(
  given: { readonly literal?: string | undefined; readonly file?: string | undefined },
  names: { readonly literal: string; readonly file: string },
  below: ConfigPath,
  { file, path }: ConfigEntry,
  { problems }: ResolveContext,
): { readonly literal?: Secret; readonly file?: string } {
  const at = [...path, ...below];
  const place = [...at, names.literal];
  if (given.literal === undefined && given.file === undefined) {
    problems.add('CONFIG_MISSING', file, [...at, names.file], 'absent', `Add ${names.file} or ${names.literal}.`);
  } else if (given.literal !== undefined && given.file !== undefined) {
    problems.add('CONFIG_INVALID', file, place, `there are both ${names.literal} and ${names.file}`, 'Keep one.');
  } else if (given.literal !== undefined && !file.filled.has(pathKey(place))) {
    const hint = `Use ${names.file}, \${env:NAME} or \${file:PATH}.`;
    problems.warn('CONFIG_LITERAL_SECRET', file, place, 'a secret is written literally', hint);
  }
  return {
    ...(given.literal === undefined ? {} : { literal: Secret.text(given.literal) }),
    ...(given.file === undefined ? {} : { file: resolve(file.dir, given.file) }),
  };
}

function resolveDns01(
  { command, wait }: NonNullable<AcmeShape['dns01']>,
  { file, path }: ConfigEntry,
  { problems }: ResolveContext,
): Dns01Config | undefined {
  const resolved = resolveCommand(command, { file, path: [...path, 'dns01'] }, problems);
  return resolved && { command: resolved, waitMs: wait === undefined ? 0 : (parseDuration(wait) as number) };
}
