import type { BackendKind } from '../kind.ts';
import type { KubernetesBackendConfig } from './config/config.ts';

let resolving: typeof import('./config/resolve.ts') | undefined;
let requests: typeof import('./config/resolve-request.ts') | undefined;

const loadRequests = async () => {
  requests = await import('./config/resolve-request.ts');
};

const REQUEST_KEYS = ['kubernetesSecret', 'configMap'] as const;

/** Secrets and ConfigMaps of a Kubernetes cluster. */
export const kubernetes: BackendKind<KubernetesBackendConfig> = {
  kind: 'kubernetes',
  loadSchemas: async () => (await import('./config/schemas.ts')).schemas,
  loadWords: async () => (await import('./config/words.ts')).kubernetesWords,
  loadResolve: async () => {
    resolving = await import('./config/resolve.ts');
  },
  resolve: (name, shape: never, entry, context) => resolving?.resolveKubernetes(name, shape, entry, context),
  requestKeys: REQUEST_KEYS,
  companionKeys: { keys: REQUEST_KEYS },
  resolveRequest: (shape: never, entry, problems) => requests?.resolveKubernetesRequest(shape, entry, problems),
  lateRequestKeys: Object.fromEntries(REQUEST_KEYS.map((key) => [key, loadRequests])),
  credentialVariables: [],
  loadTools: () => import('./tools.ts'),
  open: async (config, context) => (await import('./open.ts')).openKubernetesBackend(config, context),
};
