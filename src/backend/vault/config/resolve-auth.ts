import { resolve } from 'node:path';
import { isHeaderToken } from '../../../base/header-text.ts';
import { Secret } from '../../../base/secret.ts';
import { trimSlashes } from '../../../config/api-path.ts';
import type { TlsConfig } from '../../../config/config.ts';
import type { ConfigEntry } from '../../../config/load/entry.ts';
import { type ConfigTree, isTree } from '../../../config/load/source-file.ts';
import { pathKey } from '../../../config/place.ts';
import type { ResolveContext } from '../../../config/resolve-context.ts';
import type { AuthConfig } from './config.ts';
import { fromEnvironment } from './environment.ts';
import type { AuthShape } from './schema.ts';

const KUBERNETES_TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token';

let forAws: typeof import('../../aws/config/resolve.ts') | undefined;

/** The methods that need nothing more to be resolved. */
const OTHERS: readonly unknown[] = ['kubernetes', 'jwt', 'approle', 'token', 'cert', 'userpass', 'ldap', 'none'];

/**
 * Loads what the login `aws` is resolved by, if one of these entries of backends has it. An entry whose method is
 * absent or wrong is resolved with every method, to find all that is wrong with it.
 */
export async function loadLogins(entries: readonly ConfigTree[]): Promise<void> {
  const needsAws = ({ auth }: ConfigTree) => !isTree(auth) || !OTHERS.includes(auth['method']);
  if (entries.some(needsAws)) forAws = await import('../../aws/config/resolve.ts');
}

/** Resolves the login of the backend that `entry` is; undefined when a problem was added. */
export function resolveAuth(shape: AuthShape, entry: ConfigEntry, context: ResolveContext): AuthConfig | undefined {
  if (shape.method === 'none') return { method: 'none', mount: '', revokeOnExit: false };
  const dir = entry.file.dir;
  const mount = trimSlashes(shape.mount ?? '') || shape.method;
  checkMount(mount, entry, context);
  const isInline = 'inline' in shape && shape.inline === 'auto';
  const common = { mount, revokeOnExit: shape.revokeOnExit ?? false, ...(isInline ? { inline: 'auto' as const } : {}) };
  switch (shape.method) {
    case 'kubernetes': {
      const tokenFile = resolve(dir, shape.tokenFile ?? KUBERNETES_TOKEN);
      return { ...common, method: 'kubernetes', role: shape.role, tokenFile };
    }
    case 'jwt':
      return { ...common, method: 'jwt', role: shape.role, tokenFile: resolve(dir, shape.tokenFile) };
    case 'cert':
      return { ...common, method: 'cert', ...(shape.role === undefined ? {} : { role: shape.role }) };
    case 'aws': {
      const { method, role, region, serverId } = shape;
      if (forAws === undefined) throw new TypeError('the login aws was not loaded to be resolved');
      const account = forAws.resolveAws(
        String(entry.path.at(-1)),
        { kind: 'aws-secrets-manager', ...(region && { region }) },
        entry,
        context,
      );
      if (account === undefined) return undefined;
      return {
        ...common,
        method,
        ...(role === undefined ? {} : { role }),
        ...(serverId === undefined ? {} : { serverId }),
        account: { ...account, region: account.region ?? 'us-east-1' },
      };
    }
    case 'userpass':
    case 'ldap': {
      const { method, username, passwordFile } = shape;
      return { ...common, method, username, passwordFile: resolve(dir, passwordFile) };
    }
    case 'token':
      return resolveToken(shape, common, entry, context);
    case 'approle':
      return resolveAppRole(shape, common, entry, context);
  }
}

/** Refuses a mount as other tools write it, `auth/kubernetes`: the login would go to `auth/auth/kubernetes/login`. */
function checkMount(mount: string, { file, path }: ConfigEntry, { problems }: ResolveContext): void {
  const [, meant] = /^(?:v1\/)?auth\/(.+)/.exec(mount) ?? [];
  if (meant === undefined) return;
  const place = [...path, 'auth', 'mount'];
  const hint = file.filled.has(pathKey(place)) ? 'Leave auth/ out.' : `Write mount: ${meant}.`;
  problems.add('CONFIG_INVALID', file, place, 'the path of a login begins with auth/ already', hint);
}

function resolveAppRole(
  shape: Extract<AuthShape, { method: 'approle' }>,
  common: Pick<AuthConfig, 'mount' | 'revokeOnExit' | 'inline'>,
  entry: ConfigEntry,
  context: ResolveContext,
): AuthConfig | undefined {
  const { file, path } = entry;
  const { roleId, roleIdFile, secretIdFile, secretIdWrapped = false, removeSecretIdFile = false } = shape;
  const isOne = checkOne('roleId', roleId, 'roleIdFile', roleIdFile, entry, context);
  if (secretIdFile === undefined && (secretIdWrapped || removeSecretIdFile)) {
    const seen = `absent, but ${secretIdWrapped ? 'secretIdWrapped' : 'removeSecretIdFile'} is true`;
    context.problems.add('CONFIG_MISSING', file, [...path, 'auth', 'secretIdFile'], seen);
    return undefined;
  }
  if (!isOne) return undefined;
  return {
    ...common,
    method: 'approle',
    ...(roleId === undefined ? {} : { roleId }),
    ...(roleIdFile === undefined ? {} : { roleIdFile: resolve(file.dir, roleIdFile) }),
    ...(secretIdFile === undefined ? {} : { secretIdFile: resolve(file.dir, secretIdFile) }),
    secretIdWrapped,
    removeSecretIdFile,
  };
}

/**
 * Checks what the login `cert` needs: an https address, and a client certificate. Adds problems when it returns false.
 */
export function checkCertLogin(
  address: string,
  tls: TlsConfig,
  { file, path }: ConfigEntry,
  { problems }: ResolveContext,
): boolean {
  const isSecure = address.startsWith('https:');
  if (!isSecure) problems.add('CONFIG_INVALID', file, [...path, 'address'], 'not https, which the login cert needs');
  if (tls.certFile !== undefined) return isSecure;
  const hint = 'Add tls.certFile and tls.keyFile: the key pair that the login cert logs in with.';
  problems.add('CONFIG_MISSING', file, [...path, 'tls', 'certFile'], 'absent', hint);
  return false;
}

function resolveToken(
  shape: Extract<AuthShape, { method: 'token' }>,
  common: Pick<AuthConfig, 'mount' | 'revokeOnExit' | 'inline'>,
  entry: ConfigEntry,
  context: ResolveContext,
): AuthConfig | undefined {
  const { file, path } = entry;
  const { token, tokenFile } = shape;
  const place = [...path, 'auth', 'token'];
  if (token === undefined && tokenFile === undefined) {
    const inherited = fromEnvironment('TOKEN', context.env)?.value;
    if (inherited !== undefined) return withToken(inherited);
    const hint = 'Add token or tokenFile, or set VAULT_TOKEN or BAO_TOKEN.';
    context.problems.add('CONFIG_MISSING', file, place, 'absent', hint);
    return undefined;
  }
  if (!checkOne('token', token, 'tokenFile', tokenFile, entry, context)) return undefined;
  if (tokenFile !== undefined) return { ...common, method: 'token', tokenFile: resolve(file.dir, tokenFile) };
  if (!file.filled.has(pathKey(place))) {
    const hint = 'Use tokenFile, ${env:NAME} or ${file:PATH}.';
    context.problems.warn('CONFIG_LITERAL_SECRET', file, place, 'a secret is written literally', hint);
  }
  return withToken(token as string);

  function withToken(text: string): AuthConfig | undefined {
    const trimmed = text.trim();
    if (isHeaderToken(trimmed)) return { ...common, method: 'token', token: Secret.text(trimmed) };
    context.problems.add('CONFIG_INVALID', file, place, 'it is not made of printable characters without spaces');
    return undefined;
  }
}

/** Checks that exactly one of two keys of `auth` is present. Adds a problem when it returns false. */
function checkOne(
  first: string,
  firstValue: string | undefined,
  second: string,
  secondValue: string | undefined,
  { file, path }: ConfigEntry,
  { problems }: ResolveContext,
): boolean {
  if ((firstValue === undefined) !== (secondValue === undefined)) return true;
  const place = [...path, 'auth'];
  if (firstValue === undefined)
    problems.add('CONFIG_MISSING', file, place, `one of ${first} and ${second} is expected`);
  else problems.add('CONFIG_INVALID', file, place, `${first} and ${second} exclude each other`, 'Keep one of the two.');
  return false;
}
