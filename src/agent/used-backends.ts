import type { BackendConfig, Config } from '../config/config.ts';
import type { Renderer } from '../render/render.ts';
import type { Plan } from './plan.ts';
import { servedBackends, servedSecrets } from './serve/served.ts';

export interface UsedBackendsOptions {
  /** `exec`: its environment is rendered. */
  readonly withEnvironment: boolean;
  /** The listeners of the configuration are open. */
  readonly isServing: boolean;
}

/** The backends that a plan may ask. A configured backend that nothing needs is not opened, so it cannot fail. */
export function usedBackends(
  plan: Plan,
  { withEnvironment, isServing }: UsedBackendsOptions,
): readonly BackendConfig[] {
  const { config, outputs, env } = plan;
  const rendered = withEnvironment && env !== undefined ? [...outputs, env] : outputs;
  const used = new Set(rendered.flatMap(({ renderer }) => backendsOf(renderer, config)));
  if (isServing) {
    for (const name of servedSecrets(config)) used.add(config.secrets.get(name)?.backend);
    for (const name of servedBackends(config)) used.add(name);
  }
  return [...config.backends.values()].filter(({ name }) => used.has(name));
}

/** The backends that an output may ask: those of its secrets, and those of its computed paths. */
function backendsOf({ wants, asks }: Renderer, { secrets }: Config): readonly (string | undefined)[] {
  return [...[...wants].map((name) => secrets.get(name)?.backend), ...asks];
}
