import type { BackendKind } from '../kind.ts';
import type { VaultBackendConfig } from './config/config.ts';
import type { KvRequest, ListRequest } from './config/request.ts';
import { loadResolve, resolveVault } from './config/resolve.ts';
import { loadCertificateRequests, resolveVaultRequest } from './config/resolve-request.ts';

const privacy = (isPrivate: boolean) => (isPrivate ? { isPathPrivate: true as const } : {});

/** HashiCorp Vault or OpenBao. */
export const vault: BackendKind<VaultBackendConfig> = {
  kind: 'vault',
  loadSchemas: async () => (await import('./config/schemas.ts')).schemas,
  loadWords: async () => (await import('./config/words.ts')).vaultWords,
  loadResolve,
  resolve: resolveVault,
  requestKeys: ['kv', 'read', 'write', 'certificate', 'trustBundle'],
  companionKeys: {
    version: ['kv'],
    mount: ['kv'],
    kvVersion: ['kv'],
    end: ['read', 'write'],
    revokeOld: ['read', 'write'],
  },
  resolveRequest: resolveVaultRequest,
  lateRequestKeys: { certificate: loadCertificateRequests },
  credentialVariables: ['VAULT', 'BAO'].flatMap((prefix) =>
    ['TOKEN', 'ROLE_ID', 'SECRET_ID', 'USERNAME', 'PASSWORD'].map((name) => `${prefix}_${name}`),
  ),
  pathRequests: {
    secret: (path, isPrivate): KvRequest => ({ kind: 'vault-kv', path, ...privacy(isPrivate) }),
    secrets: (path, isPrivate): ListRequest => ({ kind: 'vault-list', path, ...privacy(isPrivate) }),
  },
  hasProxy: true,
  wrapsKeys: true,
  credentialsIn: ({ auth }) => (auth.method === 'token' && auth.token !== undefined ? [auth.token] : []),
  usesUpLogin: ({ auth }) => auth.method === 'approle' && (auth.secretIdWrapped || auth.removeSecretIdFile),
  loadTools: () => import('./tools.ts'),
  openKeyWrap: async (config, key, context) => (await import('./key-wrap.ts')).openVaultKeyWrap(config, key, context),
  open: async (config, opening) => (await import('./open.ts')).openVaultBackend(config, opening),
};
