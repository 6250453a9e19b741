import { dirname, resolve } from 'node:path';
import { parseDuration } from '../../../base/duration.ts';
import type { FileConfig, OutputConfig, ReloadConfig } from '../../config.ts';
import type { ConfigEntry } from '../../load/entry.ts';
import { parseEntry } from '../../load/parse-entry.ts';
import { isTree } from '../../load/source-file.ts';
import { valueAt } from '../../place.ts';
import type { Problems } from '../../problems/problems.ts';
import type { KnownSecrets } from '../secrets/resolve-source.ts';
import { checkFileNames, resolveFile } from './resolve-file.ts';
import { resolveReload } from './resolve-reload.ts';
import { output as schema } from './schema.ts';

const MODE = 0o400;
const QUIET_MS = 10;
const MAX_WAIT_MS = 1000;

/**
 * Files and reloads are checked one by one, so that one of them with a problem hides no other's; what is good of the
 * output is answered all the same, for its templates and its directory to be checked as well.
 */
export function resolveOutput(
  name: string,
  entry: ConfigEntry,
  secrets: KnownSecrets,
  problems: Problems,
): OutputConfig | undefined {
  const { file, path } = entry;
  const raw = valueAt(file.tree, path);
  const { files: rawFiles, reload: rawReload } = isTree(raw) ? raw : {};
  const shape = parseEntry(schema, entry, problems, withoutParts(raw));

  const fileNames = isTree(rawFiles) ? Object.keys(rawFiles) : [];
  checkFileNames(fileNames, entry, problems);
  const files = new Map<string, FileConfig>();
  for (const fileName of fileNames) {
    const resolved = resolveFile({ file, path: [...path, 'files', fileName] }, secrets, problems);
    if (resolved !== undefined) files.set(fileName, resolved);
  }
  const reload: ReloadConfig[] = [];
  for (const index of Array.isArray(rawReload) ? rawReload.keys() : []) {
    const resolved = resolveReload({ file, path: [...path, 'reload', index] }, problems);
    if (resolved !== undefined) reload.push(resolved);
  }
  if (shape === undefined) return undefined;

  const quietMs = shape.quiet === undefined ? QUIET_MS : (parseDuration(shape.quiet) as number);
  const maxWaitMs =
    shape.maxWait === undefined ? Math.max(MAX_WAIT_MS, quietMs) : (parseDuration(shape.maxWait) as number);
  if (maxWaitMs < quietMs) {
    problems.add('CONFIG_INVALID', file, [...path, 'maxWait'], 'shorter than quiet', 'Raise it, or lower quiet.');
  }
  const dir = resolve(file.dir, shape.dir);
  if (dir === dirname(dir)) {
    const hint = 'Give the output a directory of its own.';
    problems.add('CONFIG_INVALID', file, [...path, 'dir'], 'the root of the file system', hint);
  }
  const output: OutputConfig = {
    name,
    dir,
    mode: shape.mode === undefined ? MODE : Number.parseInt(shape.mode, 8),
    ...(shape.dirMode === undefined ? {} : { dirMode: Number.parseInt(shape.dirMode, 8) }),
    ...(shape.uid === undefined ? {} : { uid: shape.uid }),
    ...(shape.gid === undefined ? {} : { gid: shape.gid }),
    requireTmpfs: shape.requireTmpfs ?? false,
    quietMs,
    maxWaitMs,
    reloadOnFirst: shape.reloadOnFirst ?? false,
    files,
    reload,
  };
  warnOfDirMode(output, entry, problems);
  return output;
}

/**
 * A directory that Pannier makes is 0700, opened by `dirMode`, or for the group by a `gid` beside a mode that lets it
 * read (`planNewDir` of deliver/file/plan.ts): a mode alone is a right that nobody can use.
 */
function warnOfDirMode(output: OutputConfig, { file, path }: ConfigEntry, problems: Problems): void {
  if (output.dirMode !== undefined) return;
  for (const [name, own] of output.files) {
    const mode = own.mode ?? output.mode;
    const forGroup = (mode & 0o070) !== 0 && (own.gid ?? output.gid) === undefined;
    if (!forGroup && (mode & 0o007) === 0) continue;
    const who = (mode & 0o007) === 0 ? 'the group' : 'others';
    const place = own.mode === undefined ? [...path, 'mode'] : [...path, 'files', name, 'mode'];
    problems.warn('CONFIG_DIR_MODE', file, place, `lets ${who} read, and dir would be made without a way in for them`);
    // The output's mode is told once, whatever number of files have it.
    if (own.mode === undefined) return;
  }
}

/** A directory is written by one output alone: two would take each other's files for leftovers. */
export function checkDirs(
  outputs: Iterable<OutputConfig>,
  entries: ReadonlyMap<string, ConfigEntry>,
  problems: Problems,
): void {
  const owners = new Map<string, string>();
  const all = [...outputs];
  for (const { name, dir } of all) {
    const first = owners.get(dir);
    if (first === undefined) owners.set(dir, name);
    else add(name, `the same directory as outputs.${first}.dir`);
  }
  for (const { name, dir } of all) {
    for (let above = dirname(dir); above !== dirname(above); above = dirname(above)) {
      const owner = owners.get(above);
      if (owner !== undefined) add(name, `inside outputs.${owner}.dir`);
    }
  }

  function add(name: string, seen: string): void {
    const { file, path } = entries.get(name) as ConfigEntry;
    problems.add('CONFIG_SAME_DIR', file, [...path, 'dir'], seen);
  }
}

function withoutParts(raw: unknown): unknown {
  if (!isTree(raw)) return raw;
  const { files, reload } = raw;
  return { ...raw, ...(isTree(files) ? { files: {} } : {}), ...(Array.isArray(reload) ? { reload: [] } : {}) };
}
