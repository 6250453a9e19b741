import type { BackendKind } from '../kind.ts';
import type { KubernetesBackendConfig } from './config/config.ts';

let resolving: typeof import('./config/resolving.ts') | undefined;

const loadResolve = async () => {
  resolving = await import('./config/resolving.ts');
  return resolving.TABLES;
};

/** Secrets and ConfigMaps of a Kubernetes cluster. */
export const kubernetes: BackendKind<KubernetesBackendConfig> = {
  kind: 'kubernetes',
  loadSchemas: async () => (await import('./config/schemas.ts')).schemas,
  loadWords: async () => (await import('./config/words.ts')).kubernetesWords,
  loadResolve,
  bringsTables: true,
  resolve: (name, shape: never, entry, context) => resolving?.resolveKubernetes(name, shape, entry, context),
  requestKeys: ['kubernetesSecret', 'configMap'],
  companionKeys: { keys: ['kubernetesSecret', 'configMap'] },
  resolveRequest: (shape: never, entry, problems) => resolving?.resolveKubernetesRequest(shape, entry, problems),
  lateRequestKeys: { kubernetesSecret: loadResolve, configMap: loadResolve },
  credentialVariables: [],
  loadTools: () => import('./tools.ts'),
  open: async (config, context) => (await import('./open.ts')).openKubernetesBackend(config, context),
};
