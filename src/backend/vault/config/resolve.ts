import { resolve } from 'node:path';
import { parseDuration } from '../../../base/duration.ts';
import { parseAddress } from '../../../config/address.ts';
import { trimSlashes } from '../../../config/api-path.ts';
import type { TlsConfig } from '../../../config/config.ts';
import type { ConfigEntry } from '../../../config/load/entry.ts';
import type { ConfigTree } from '../../../config/load/source-file.ts';
import type { ResolveContext } from '../../../config/resolve-context.ts';
import { resolveRequests } from '../../../config/sections/backends/resolve-requests.ts';
import type { VaultBackendConfig } from './config.ts';
import { fromEnvironment } from './environment.ts';
import { checkCertLogin, loadLogins, resolveAuth } from './resolve-auth.ts';
import type { VaultShape } from './schema.ts';

const TIMEOUT_MS = 10_000;

let forEvents: typeof import('./resolve-events.ts') | undefined;

/** Loads what few configurations need to be resolved. */
export async function loadResolve(entries: readonly ConfigTree[]): Promise<undefined> {
  await loadLogins(entries);
  if (entries.some(({ events }) => events !== undefined)) forEvents = await import('./resolve-events.ts');
}

/**
 * Resolves a backend of kind `vault` from its keys, the defaults, and the environment variables of the command lines
 * `vault` and `bao`. Undefined when a problem was added.
 */
export function resolveVault(
  name: string,
  shape: VaultShape,
  entry: ConfigEntry,
  context: ResolveContext,
): VaultBackendConfig | undefined {
  const address = resolveAddress(shape, entry, context);
  const tls = resolveTls(shape, entry, context);
  const auth = resolveAuth(shape.auth, entry, context);
  if (shape.events !== undefined && forEvents === undefined)
    throw new TypeError('events were not loaded to be resolved');
  const events = shape.events === undefined ? {} : forEvents?.resolveEvents(shape.events, entry, context);
  if (address === undefined || tls === undefined || auth === undefined || events === undefined) return undefined;
  if (auth.method === 'cert' && !checkCertLogin(address, tls, entry, context)) return undefined;
  if (!tls.skipVerify) checkTlsEnvironment(entry, context);
  const namespace = trimSlashes(shape.namespace ?? (fromEnvironment('NAMESPACE', context.env)?.value || ''));
  const timeoutMs = shape.timeout === undefined ? TIMEOUT_MS : (parseDuration(shape.timeout) as number);
  const requests = resolveRequests(shape.requests, entry, context.problems);
  const backend: VaultBackendConfig = { kind: 'vault', name, address, tls, timeoutMs, auth, ...requests, ...events };
  return namespace === '' ? backend : { ...backend, namespace };
}

/**
 * Refuses environment variables that turn certificate checks off. Only the configuration may do that: a variable may be
 * inherited by accident, while a line in a file is reviewed.
 */
function checkTlsEnvironment({ file, path }: ConfigEntry, { env, problems }: ResolveContext): void {
  const unsafe = ['VAULT_SKIP_VERIFY', 'BAO_SKIP_VERIFY'].filter((name) => isTruthy(env[name]));
  if (env['NODE_TLS_REJECT_UNAUTHORIZED'] === '0') unsafe.push('NODE_TLS_REJECT_UNAUTHORIZED');
  if (unsafe.length === 0) return;
  const seen = `not true, but ${unsafe.join(' and ')} is set`;
  problems.add('CONFIG_TLS_UNSAFE', file, [...path, 'tls', 'skipVerify'], seen);
}

function resolveAddress(
  shape: VaultShape,
  { file, path }: ConfigEntry,
  { env, problems }: ResolveContext,
): string | undefined {
  const place = [...path, 'address'];
  const given = fromEnvironment('ADDR', env);
  const text = shape.address ?? given?.value;
  if (text === undefined) {
    problems.add('CONFIG_MISSING', file, place, 'absent', 'Add address, or set VAULT_ADDR or BAO_ADDR.');
    return undefined;
  }
  const parsed = parseAddress(text);
  if (parsed.wrong !== undefined) {
    problems.add('CONFIG_INVALID', file, place, `taken from ${given?.name}; ${parsed.wrong}`);
  }
  return parsed.address;
}

function resolveTls(
  shape: VaultShape,
  { file, path }: ConfigEntry,
  { env, cwd, problems }: ResolveContext,
): TlsConfig | undefined {
  const { caFile, certFile, keyFile, bootstrap, serverName, skipVerify = false } = shape.tls ?? {};
  if ((certFile === undefined) !== (keyFile === undefined)) {
    const absent = certFile === undefined ? 'certFile' : 'keyFile';
    problems.add(
      'CONFIG_MISSING',
      file,
      [...path, 'tls', absent],
      `absent, but ${certFile === undefined ? 'keyFile' : 'certFile'} needs it`,
    );
    return undefined;
  }
  if (bootstrap !== undefined && certFile === undefined) {
    const hint = 'Add certFile and keyFile: the pair that takes the place of this one.';
    problems.add('CONFIG_MISSING', file, [...path, 'tls', 'certFile'], 'absent, but bootstrap needs it', hint);
    return undefined;
  }
  const inherited = fromEnvironment('CACERT', env)?.value;
  const ca = caFile === undefined ? inherited && resolve(cwd, inherited) : resolve(file.dir, caFile);
  return {
    ...(ca ? { caFile: ca } : {}),
    ...(certFile === undefined ? {} : { certFile: resolve(file.dir, certFile) }),
    ...(keyFile === undefined ? {} : { keyFile: resolve(file.dir, keyFile) }),
    ...(bootstrap === undefined
      ? {}
      : {
          bootstrap: {
            certFile: resolve(file.dir, bootstrap.certFile),
            keyFile: resolve(file.dir, bootstrap.keyFile),
          },
        }),
    ...(serverName === undefined ? {} : { serverName }),
    skipVerify,
  };
}

/** Every text that is not clearly false counts as true, also `yes`. */
function isTruthy(value: string | undefined): boolean {
  return value !== undefined && !['', '0', 'f', 'false'].includes(value.toLowerCase());
}
