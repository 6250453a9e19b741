import { resolve } from 'node:path';
import type { LogConfig } from '../../config.ts';
import type { ConfigEntry } from '../../load/entry.ts';
import { resolveEntry } from '../../load/resolve-entry.ts';
import type { ResolveContext } from '../../resolve-context.ts';
import type { LogTargets, ResolveLogTargets } from './resolve-targets.ts';

const LEVELS: readonly string[] = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] satisfies LogConfig['level'][];

/**
 * The configuration of the log; the defaults when there is no such section. PANNIER_LOG_LEVEL wins over `level`, so
 * that one start can be looked into without a change of files.
 */
export function resolveLog(
  entry: ConfigEntry | undefined,
  { env, problems }: ResolveContext,
  resolveTargets?: ResolveLogTargets,
): LogConfig {
  let targets: LogTargets | undefined;
  const shape =
    entry &&
    resolveEntry('log', entry, problems, (it, found) => {
      targets = resolveTargets?.(it, entry, found);
      return it;
    });
  const { format = 'auto', schema = 'pannier', file } = shape ?? {};
  const asked = env['PANNIER_LOG_LEVEL'] ?? '';
  const isLevel = LEVELS.includes(asked);
  if (asked !== '' && !isLevel) {
    problems.addAt('CONFIG_INVALID', 'PANNIER_LOG_LEVEL', `it is none of ${LEVELS.join(', ')}`);
  }
  const level = isLevel ? (asked as LogConfig['level']) : (shape?.level ?? 'info');
  const { dir = '' } = entry?.file ?? {};
  return {
    ...{ level, format, schema },
    ...(file === undefined ? {} : { file: resolve(dir, file) }),
    ...targets,
  };
}
