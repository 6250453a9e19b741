import { resolve } from 'node:path';
import { parseDuration } from '../../../base/duration.ts';
import { parseAddress } from '../../../config/address.ts';
import { trimSlashes } from '../../../config/api-path.ts';
import type { BackendConfig, TlsConfig, VaultBackendConfig } from '../../../config/config.ts';
import { type Environment, fromEnvironment } from '../../../config/environment.ts';
import type { Entry } from '../../../config/load/merge.ts';
import { parseEntry } from '../../../config/load/parse-entry.ts';
import type { Problems } from '../../../config/problems/problems.ts';
import type { VaultShape } from '../../../config/schema.ts';
import { resolveAws } from '../../aws/config/resolve.ts';
import { checkCertLogin, resolveAuth } from './resolve-auth.ts';
import { backend as schema } from './schema.ts';

/** What backends are resolved with. */
export interface Surroundings {
  readonly env: Environment;
  /** What paths in the environment are relative to. */
  readonly cwd: string;
  readonly problems: Problems;
}

const TIMEOUT_MS = 10_000;

export function resolveBackend(name: string, entry: Entry, around: Surroundings): BackendConfig | undefined {
  const shape = parseEntry(schema, entry, around.problems);
  if (shape === undefined) return undefined;
  if (shape.kind === 'file') return { kind: 'file', name, path: resolve(entry.file.dir, shape.path) };
  if (shape.kind === 'aws-secrets-manager') return resolveAws(name, shape, entry, around);
  return resolveVault(name, shape, entry, around);
}

/**
 * Environment that turns certificate checks off is refused unless the configuration says so itself, for every backend
 * that it would reach: a variable is inherited by accident, a line in a file is reviewed.
 */
export function checkTlsEnvironment(
  backends: Iterable<BackendConfig>,
  entries: ReadonlyMap<string, Entry>,
  env: Environment,
  problems: Problems,
): void {
  const unsafe = ['VAULT_SKIP_VERIFY', 'BAO_SKIP_VERIFY'].filter((name) => isTruthy(env[name]));
  if (env['NODE_TLS_REJECT_UNAUTHORIZED'] === '0') unsafe.push('NODE_TLS_REJECT_UNAUTHORIZED');
  if (unsafe.length === 0) return;
  for (const backend of backends) {
    if (backend.kind !== 'vault' || backend.tls.skipVerify) continue;
    const { file, path } = entries.get(backend.name) as Entry;
    problems.add(
      'CONFIG_TLS_UNSAFE',
      file,
      [...path, 'tls', 'skipVerify'],
      `not true, but ${unsafe.join(' and ')} is set`,
    );
  }
}

function resolveVault(name: string, shape: VaultShape, entry: Entry, around: Surroundings): BackendConfig | undefined {
  const address = resolveAddress(shape, entry, around);
  const tls = resolveTls(shape, entry, around);
  const auth = resolveAuth(shape.auth, entry, around);
  if (address === undefined || tls === undefined || auth === undefined) return undefined;
  if (auth.method === 'cert' && !checkCertLogin(address, tls, entry, around)) return undefined;
  const namespace = trimSlashes(shape.namespace ?? (fromEnvironment('NAMESPACE', around.env)?.value || ''));
  const timeoutMs = shape.timeout === undefined ? TIMEOUT_MS : (parseDuration(shape.timeout) as number);
  const backend: VaultBackendConfig = { kind: 'vault', name, address, tls, timeoutMs, auth };
  return namespace === '' ? backend : { ...backend, namespace };
}

function resolveAddress(shape: VaultShape, { file, path }: Entry, { env, problems }: Surroundings): string | undefined {
  const place = [...path, 'address'];
  const given = fromEnvironment('ADDR', env);
  const text = shape.address ?? given?.value;
  if (text === undefined) {
    problems.add('CONFIG_MISSING', file, place, 'absent', 'Add it, or set VAULT_ADDR or BAO_ADDR.');
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
  { file, path }: Entry,
  { env, cwd, problems }: Surroundings,
): TlsConfig | undefined {
  const { caFile, certFile, keyFile, serverName, skipVerify = false } = shape.tls ?? {};
  if ((certFile === undefined) !== (keyFile === undefined)) {
    const absent = certFile === undefined ? 'certFile' : 'keyFile';
    problems.add('CONFIG_MISSING', file, [...path, 'tls', absent], 'absent; certFile and keyFile go together');
    return undefined;
  }
  const inherited = fromEnvironment('CACERT', env)?.value;
  const ca = caFile === undefined ? inherited && resolve(cwd, inherited) : resolve(file.dir, caFile);
  return {
    ...(ca ? { caFile: ca } : {}),
    ...(certFile === undefined ? {} : { certFile: resolve(file.dir, certFile) }),
    ...(keyFile === undefined ? {} : { keyFile: resolve(file.dir, keyFile) }),
    ...(serverName === undefined ? {} : { serverName }),
    skipVerify,
  };
}

/** What is not plainly false is true, also `yes`: the variable was set for a reason. */
function isTruthy(value: string | undefined): boolean {
  return value !== undefined && !['', '0', 'f', 'false'].includes(value.toLowerCase());
}
