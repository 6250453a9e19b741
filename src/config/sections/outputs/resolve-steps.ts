import { tablesIn } from '../../check/table.ts';
import type { OutputConfig, ReloadConfig } from '../../config.ts';
import type { ConfigEntry } from '../../load/entry.ts';
import { isTree } from '../../load/source-file.ts';
import { valueAt } from '../../place.ts';
import type { Problems } from '../../problems/problems.ts';
import { resolveCheck, resolveVerify } from './resolve-check.ts';
import { resolveReload } from './resolve-reload.ts';

/** The schemas of steps as tables, which the build puts in. */
declare const PANNIER_STEP_TABLES: string | undefined;

const TABLES = tablesIn(typeof PANNIER_STEP_TABLES === 'string' ? PANNIER_STEP_TABLES : undefined);

/** What an output does beside its files: its reloads and its checks. Those with problems are left out. */
export function resolveSteps(
  { file, path }: ConfigEntry,
  problems: Problems,
): Pick<OutputConfig, 'reload' | 'check' | 'verify'> {
  problems.checker.learn?.(TABLES);
  const raw = valueAt(file.tree, path);
  const { reload: rawReload, check: rawCheck, verify: rawVerify } = isTree(raw) ? raw : {};
  const reload: ReloadConfig[] = [];
  for (const index of Array.isArray(rawReload) ? rawReload.keys() : []) {
    const resolved = resolveReload({ file, path: [...path, 'reload', index] }, problems);
    if (resolved !== undefined) reload.push(resolved);
  }
  const check = rawCheck === undefined ? undefined : resolveCheck({ file, path: [...path, 'check'] }, problems);
  const verify = rawVerify === undefined ? undefined : resolveVerify({ file, path: [...path, 'verify'] }, problems);
  return { reload, ...(check === undefined ? {} : { check }), ...(verify === undefined ? {} : { verify }) };
}
