import { resolve } from 'node:path';
import type { LogConfig } from '../../config.ts';
import type { ConfigEntry } from '../../load/entry.ts';
import { parseEntry } from '../../load/parse-entry.ts';
import type { Problems } from '../../problems/problems.ts';

/** The configuration of the log; the defaults when there is no such section. */
export function resolveLog(entry: ConfigEntry | undefined, problems: Problems): LogConfig {
  const shape = entry && parseEntry('log', entry, problems);
  const { level = 'info', format = 'auto', file } = shape ?? {};
  if (entry === undefined || file === undefined) return { level, format };
  return { level, format, file: resolve(entry.file.dir, file) };
}
