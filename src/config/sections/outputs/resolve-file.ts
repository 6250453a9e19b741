import { resolve } from 'node:path';
import type { FileConfig, FileContent } from '../../config.ts';
import type { ConfigEntry } from '../../load/entry.ts';
import { resolveEntry } from '../../load/resolve-entry.ts';
import { formatPlace } from '../../place.ts';
import type { Problems } from '../../problems/problems.ts';
import type { OutputFileShape } from '../../schema.ts';
import type { KnownSecrets } from '../secrets/resolve-source.ts';
import { BUILTIN, type LateParts } from './late-parts.ts';
import { FORMAT_KEYS, resolveFormat } from './resolve-format.ts';
import { INPUT_KEYS, resolveInputs } from './resolve-inputs.ts';

/** The configuration of one file. Undefined when something is wrong; it was added to `problems`. */
export function resolveFile(
  entry: ConfigEntry,
  secrets: KnownSecrets,
  problems: Problems,
  late: LateParts,
): FileConfig | undefined {
  const make = (shape: OutputFileShape, found: Problems) => fileOf(shape, entry, secrets, found, late);
  return resolveEntry('outputFile', entry, problems, make, { spare: ['mode', 'uid', 'gid'] });
}

function fileOf(
  shape: OutputFileShape,
  entry: ConfigEntry,
  secrets: KnownSecrets,
  problems: Problems,
  late: LateParts,
): FileConfig | undefined {
  const content = resolveContent(shape, entry, secrets, problems, late);
  if (content === undefined) return undefined;
  return {
    place: formatPlace(entry.path),
    ...(shape.mode === undefined ? {} : { mode: Number.parseInt(shape.mode, 8) }),
    ...(shape.uid === undefined ? {} : { uid: shape.uid }),
    ...(shape.gid === undefined ? {} : { gid: shape.gid }),
    content,
  };
}

/**
 * Checks the names of one output's files: each is inside `dir`, cannot be taken for a file that Pannier adds, and is
 * not the directory of another one.
 */
export function checkFileNames(names: readonly string[], { file, path }: ConfigEntry, problems: Problems): void {
  const all = new Set(names);
  for (const name of names) {
    const wrong = wrongName(name) ?? conflictOf(name, all);
    if (wrong !== undefined) problems.add('CONFIG_INVALID', file, [...path, 'files', name], wrong);
  }
}

function wrongName(name: string): string | undefined {
  if (name === '') return 'the name of a file is empty';
  if (name.startsWith('/')) return 'the name of a file is relative to dir';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what the pattern refuses
  if (/[\0-\x1f\x7f]/.test(name)) return 'the name of a file holds a control character';
  const parts = name.split('/');
  if (parts.some((part) => part === '' || part === '.'))
    return 'the name of a file has an empty part, or a part that is .';
  if (parts.some((part) => part.startsWith('..'))) return 'no part of a file name begins with two dots';
  return parts.some((part) => Buffer.byteLength(part) > 255)
    ? 'a part of a file name is longer than 255 bytes'
    : undefined;
}

function conflictOf(name: string, all: ReadonlySet<string>): string | undefined {
  for (let slash = name.indexOf('/'); slash !== -1; slash = name.indexOf('/', slash + 1)) {
    if (all.has(name.slice(0, slash))) return 'another file has the name of the directory that this file is in';
  }
  return undefined;
}

function resolveContent(
  shape: OutputFileShape,
  entry: ConfigEntry,
  secrets: KnownSecrets,
  problems: Problems,
  { builtins }: LateParts,
): FileContent | undefined {
  const { file, path } = entry;
  const given = (['template', 'content', 'format'] as const).filter((key) => shape[key] !== undefined);
  if (given.length !== 1) {
    const seen =
      given.length === 0
        ? 'the file says nothing about its content'
        : `the file has several contents: ${given.join(', ')}`;
    const hint = 'Give exactly one of template, content and format.';
    problems.add(given.length === 0 ? 'CONFIG_MISSING' : 'CONFIG_INVALID', file, path, seen, hint);
    return undefined;
  }
  const misplaced = (shape.format === undefined ? FORMAT_KEYS : INPUT_KEYS).filter((key) => shape[key] !== undefined);
  for (const key of misplaced) {
    const where = shape.format === undefined ? 'format' : 'template and content';
    problems.add(
      'CONFIG_INVALID',
      file,
      [...path, key],
      `${key} goes with ${where}, not with ${given[0]}`,
      'Remove it.',
    );
  }
  if (shape.format !== undefined) {
    const format = resolveFormat(shape.format, shape, entry, secrets, problems);
    return misplaced.length > 0 ? undefined : format;
  }
  const inputs = resolveInputs(shape, entry, secrets, problems);
  if (misplaced.length > 0 || inputs === undefined) return undefined;
  const named = inputs.size === 0 ? {} : { inputs };
  if (shape.content !== undefined) return { kind: 'content', text: shape.content, ...named };
  const template = shape.template as string;
  if (!template.startsWith(BUILTIN)) return { kind: 'template', path: resolve(file.dir, template), ...named };
  if (builtins === undefined) throw new TypeError('builtin templates were not loaded');
  return builtins.resolveBuiltin(template.slice(BUILTIN.length), inputs, shape, entry, secrets, problems);
}
