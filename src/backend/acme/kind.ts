import type { BackendKind } from '../kind.ts';
import type { AcmeBackendConfig } from './config/config.ts';

let resolving: typeof import('./config/resolving.ts') | undefined;
let requests: typeof import('./config/resolve-request.ts') | undefined;

/** An issuer that speaks ACME (RFC 8555), such as Let's Encrypt, OpenBao's PKI or step-ca. */
export const acme: BackendKind<AcmeBackendConfig> = {
  kind: 'acme',
  loadSchemas: async () => (await import('./config/schemas.ts')).schemas,
  loadWords: async () => (await import('./config/words.ts')).acmeWords,
  loadResolve: async () => {
    resolving = await import('./config/resolving.ts');
    return resolving.TABLES;
  },
  bringsTables: true,
  resolve: (name, shape: never, entry, context) => resolving?.resolveAcme(name, shape, entry, context),
  requestKeys: ['acme'],
  companionKeys: {},
  resolveRequest: (...given) => requests?.resolveAcmeRequest(...given),
  lateRequestKeys: {
    acme: async () => {
      requests = await import('./config/resolve-request.ts');
    },
  },
  credentialVariables: [],
  credentialsIn: ({ account }) => [account.key, account.eab?.hmacKey].filter((one) => one !== undefined),
  loadTools: () => import('./tools.ts'),
  open: async (config, context) => (await import('./open.ts')).openAcmeBackend(config, context),
};
