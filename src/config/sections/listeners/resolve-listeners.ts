import { tablesIn } from '../../check/table.ts';
import type { Config } from '../../config.ts';
import type { MergedFiles } from '../../load/merge.ts';
import type { Problems } from '../../problems/problems.ts';
import type { BackendKindConfig } from '../backends/kind.ts';
import type { KnownBackends } from '../secrets/resolve.ts';
import type { KnownSecrets } from '../secrets/resolve-source.ts';
import { checkListens } from './check-listens.ts';
import { resolveAdmin } from './resolve-admin.ts';
import { type ResolveAws, resolveApi } from './resolve-api.ts';
import { resolveProxy } from './resolve-proxy.ts';

/** The schemas of these sections as tables, which the build puts in. */
declare const PANNIER_LISTENER_TABLES: string | undefined;

const TABLES = tablesIn(typeof PANNIER_LISTENER_TABLES === 'string' ? PANNIER_LISTENER_TABLES : undefined);

/** The sections whose services listen, and nothing of those that are absent or have problems. */
export function resolveListeners(
  singles: MergedFiles['singles'],
  secrets: KnownSecrets,
  backends: KnownBackends,
  kinds: readonly BackendKindConfig[],
  problems: Problems,
  resolveAws: ResolveAws | undefined,
): Pick<Config, 'api' | 'proxy' | 'admin'> {
  problems.checker.learn?.(TABLES);
  const api = resolveApi(singles.get('api'), { secrets, backends, kinds, resolveAws }, problems);
  const proxy = resolveProxy(singles.get('proxy'), backends, kinds, problems);
  const admin = resolveAdmin(singles.get('admin'), problems);
  checkListens(singles, problems);
  return {
    ...(api === undefined ? {} : { api }),
    ...(proxy === undefined ? {} : { proxy }),
    ...(admin === undefined ? {} : { admin }),
  };
}
