import type { ConfigEntry } from '../../load/entry.ts';
import { resolveEntry } from '../../load/resolve-entry.ts';
import type { ResolveContext } from '../../resolve-context.ts';
import type { BackendConfig } from './config.ts';
import { type BackendKindConfig, kindOf } from './kind.ts';

/** The runtime configuration of one backend, made by its kind. */
export function resolveBackend(
  name: string,
  entry: ConfigEntry,
  kinds: readonly BackendKindConfig[],
  context: ResolveContext,
): BackendConfig | undefined {
  return resolveEntry('backend', entry, context.problems, (shape, problems) =>
    kindOf(kinds, shape).resolve(name, shape as never, entry, { ...context, problems }),
  );
}
