import { dirname, resolve } from 'node:path';
import { parseDuration } from '../../../base/duration.ts';
import type { FileConfig, OutputConfig } from '../../config.ts';
import type { ConfigEntry } from '../../load/entry.ts';
import { resolveEntry } from '../../load/resolve-entry.ts';
import { isTree } from '../../load/source-file.ts';
import { valueAt } from '../../place.ts';
import type { Problems } from '../../problems/problems.ts';
import type { OutputShape } from '../../schema.ts';
import type { KnownSecrets } from '../secrets/resolve-source.ts';
import type { LateParts } from './late-parts.ts';
import { checkFileNames, resolveFile } from './resolve-file.ts';

/** The keys of an output that say nothing about its templates, which can be checked when one of these is wrong. */
const NOT_FOR_TEMPLATES = [
  ...['dir', 'mode', 'uid', 'gid', 'dirMode', 'requireTmpfs'],
  ...['quiet', 'maxWait', 'reloadOnFirst', 'reloadSpread', 'drift', 'keep'],
];

const MODE = 0o400;
const QUIET_MS = 10;
const MAX_WAIT_MS = 1000;

/**
 * The configuration of one output. Its files, its reloads and its checks are looked at one by one, so that a problem in
 * one of them does not hide those of another, and those with problems are left out of the result, so that the rest of
 * the output can be checked too. Undefined when the output itself has a problem.
 */
export function resolveOutput(
  name: string,
  entry: ConfigEntry,
  secrets: KnownSecrets,
  problems: Problems,
  late: LateParts,
): OutputConfig | undefined {
  const { file, path } = entry;
  const raw = valueAt(file.tree, path);
  const { files: rawFiles } = isTree(raw) ? raw : {};
  const fileNames = isTree(rawFiles) ? Object.keys(rawFiles) : [];
  const ofParts = problems.fork();
  checkFileNames(fileNames, entry, ofParts);
  const files = new Map<string, FileConfig>();
  for (const fileName of fileNames) {
    const resolved = resolveFile({ file, path: [...path, 'files', fileName] }, secrets, ofParts, late);
    if (resolved !== undefined) files.set(fileName, resolved);
  }
  const parts = { files, reload: [], ...late.steps?.resolveSteps(entry, ofParts) };
  const make = (shape: OutputShape, found: Problems) => outputOf(name, shape, entry, parts, found);
  const output = resolveEntry('output', entry, problems, make, { raw: withoutParts(raw), spare: NOT_FOR_TEMPLATES });
  problems.takeAll(ofParts);
  return output;
}

function outputOf(
  name: string,
  shape: OutputShape,
  entry: ConfigEntry,
  parts: Pick<OutputConfig, 'files' | 'reload' | 'check' | 'verify'>,
  problems: Problems,
): OutputConfig {
  const { file, path } = entry;
  const quietMs = shape.quiet === undefined ? QUIET_MS : (parseDuration(shape.quiet) as number);
  const maxWaitMs =
    shape.maxWait === undefined ? Math.max(MAX_WAIT_MS, quietMs) : (parseDuration(shape.maxWait) as number);
  if (maxWaitMs < quietMs) {
    problems.add(
      'CONFIG_INVALID',
      file,
      [...path, 'maxWait'],
      'maxWait is shorter than quiet',
      'Raise maxWait, or lower quiet.',
    );
  }
  const dir = resolve(file.dir, shape.dir);
  if (dir === dirname(dir)) {
    const hint = 'Give the output a directory of its own.';
    problems.add('CONFIG_INVALID', file, [...path, 'dir'], 'dir is the root of the file system', hint);
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
    ...(shape.drift === 'report' ? { drift: shape.drift } : {}),
    ...(shape.keep === undefined ? {} : { keep: shape.keep }),
    ...reloadSpreadOf(shape.reloadSpread),
    ...parts,
  };
  warnOfDirMode(output, entry, problems);
  warnOfNoReload(shape, output, entry, problems);
  return output;
}

/** As a part of a configuration; nothing when reloads are not spread. */
export function reloadSpreadOf(text: string | undefined): Pick<OutputConfig, 'reloadSpreadMs'> {
  return text === undefined ? {} : { reloadSpreadMs: parseDuration(text) as number };
}

/**
 * Warns of a mode that has no effect. Pannier makes a directory with mode 0700, or with `dirMode`, or open to the group
 * when `gid` is set and the mode lets the group read (`planNewDir` of deliver/file/plan.ts). Without these, no other
 * user can reach a file that they may read.
 */
function warnOfDirMode(output: OutputConfig, { file, path }: ConfigEntry, problems: Problems): void {
  if (output.dirMode !== undefined) return;
  for (const [name, config] of output.files) {
    const mode = config.mode ?? output.mode;
    const forGroup = (mode & 0o070) !== 0 && (config.gid ?? output.gid) === undefined;
    if (!forGroup && (mode & 0o007) === 0) continue;
    const who = (mode & 0o007) === 0 ? 'the group' : 'others';
    const place = config.mode === undefined ? [...path, 'mode'] : [...path, 'files', name, 'mode'];
    problems.warn(
      'CONFIG_DIR_MODE',
      file,
      place,
      `the mode lets ${who} read, but dir, as Pannier makes it, does not let them in`,
    );
    // One warning for the output's mode is enough, whatever number of files have it.
    if (config.mode === undefined) return;
  }
}

/** Warns of keys that say when to reload where there is nothing to reload. */
function warnOfNoReload(
  shape: OutputShape,
  output: OutputConfig,
  { file, path }: ConfigEntry,
  problems: Problems,
): void {
  if (output.reload.length > 0 || output.verify !== undefined) return;
  for (const key of ['reloadSpread', 'reloadOnFirst'] as const) {
    if (shape[key] === undefined || shape[key] === false) continue;
    problems.warn('CONFIG_UNUSED', file, [...path, key], `${key} has no effect: the output has no reload`);
  }
}

function withoutParts(raw: unknown): unknown {
  if (!isTree(raw)) return raw;
  const { files, reload, check: _check, verify: _verify, ...own } = raw;
  return {
    ...own,
    ...(files === undefined ? {} : { files: isTree(files) ? {} : files }),
    ...(reload === undefined ? {} : { reload: Array.isArray(reload) ? [] : reload }),
  };
}
