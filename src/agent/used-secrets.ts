import type { Plan } from './plan.ts';
import { hasClients, servedSecrets } from './serve/served.ts';

/**
 * The names of the secrets that an agent fetches: those that an output, a variable of exec or a listener reads. All of
 * them where there is nothing that could read one: such a configuration is for `pannier get --direct`.
 */
export function usedSecrets({ config, outputs, env }: Plan): ReadonlySet<string> {
  const rendered = env === undefined ? outputs : [...outputs, env];
  if (isIdle({ config, outputs, env })) return new Set(config.secrets.keys());
  return new Set([...servedSecrets(config), ...rendered.flatMap(({ renderer }) => [...renderer.wants])]);
}

/** Whether there is nothing that could read a secret. */
export function isIdle({ config, outputs, env }: Pick<Plan, 'config' | 'outputs'> & { env?: Plan['env'] }): boolean {
  return outputs.length === 0 && env === undefined && !hasClients(config);
}
