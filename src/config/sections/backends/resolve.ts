import type { ConfigEntry } from '../../load/entry.ts';
import { parseEntry } from '../../load/parse-entry.ts';
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
  const shape = parseEntry('backend', entry, context.problems);
  if (shape === undefined) return undefined;
  return kindOf(kinds, shape).resolve(name, shape as never, entry, context);
}
