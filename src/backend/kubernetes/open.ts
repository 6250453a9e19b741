import type { Backend } from '../backend.ts';
import type { BackendContext } from '../context.ts';
import { protectionOf } from '../protection.ts';
import type { Access } from './access/access.ts';
import { createClusterAccess } from './access/cluster.ts';
import { KubeSource } from './backend.ts';
import { KubeClient } from './client/client.ts';
import type { KubernetesBackendConfig } from './config/config.ts';

/** Opens a backend with its own connections. Nothing is sent and no file is read yet. */
export async function openKubernetesBackend(
  config: KubernetesBackendConfig,
  context: BackendContext,
): Promise<Backend> {
  const access = await openAccess(config, context);
  const client = new KubeClient({ config, access, context, protection: protectionOf(config, context) });
  const source = new KubeSource({ ...context, config, client });
  return {
    name: config.name,
    where: access.where,
    source,
    identity: JSON.stringify(['kubernetes', ...access.identity, config.namespace]),
    circuit: () => client.circuit,
    trouble: () => access.trouble?.(`backends.${config.name}`),
    async [Symbol.asyncDispose]() {
      source[Symbol.dispose]();
      await client[Symbol.asyncDispose]();
    },
  };
}

/** What reads a kubeconfig is loaded only for one. */
export async function openAccess(
  { access, namespace }: KubernetesBackendConfig,
  { clock, env }: Pick<BackendContext, 'clock' | 'env'>,
): Promise<Access> {
  if (access.from === 'cluster') return createClusterAccess(access, namespace);
  const { createKubeconfigAccess } = await import('./access/kubeconfig-access.ts');
  return createKubeconfigAccess(access, namespace, { clock, env });
}
