import type { SourceFile } from '../../load/source-file.ts';
import type { ConfigPath } from '../../place.ts';
import type { Problems } from '../../problems/problems.ts';

/** The secrets that an output or a listener may name, also those with problems of their own. */
export interface KnownSecrets {
  has(name: string): boolean;
  /** The name that was probably meant. */
  nearest(name: string): string | undefined;
}

/**
 * A source `app` or `app.key`, split at the first dot. Undefined when something is wrong; it was added to `problems`.
 */
export function resolveSource(
  source: string,
  file: SourceFile,
  at: ConfigPath,
  secrets: KnownSecrets,
  problems: Problems,
): readonly string[] | undefined {
  const before = problems.count;
  const split = splitSource(source);
  const [name = '', field] = split;
  if (field === '')
    problems.add('CONFIG_INVALID', file, at, 'no field is named after the dot', 'Write NAME or NAME.FIELD.');
  if (!secrets.has(name)) {
    const near = secrets.nearest(name);
    const hint = near === undefined ? undefined : 'Correct the name.';
    problems.addUnknown('CONFIG_UNKNOWN_SECRET', file, at, { what: 'secret', name, near }, hint);
  }
  return problems.count === before ? split : undefined;
}

/** `app.key` as [`app`, `key`]. Names of secrets have no dot, so all after the first dot is the field. */
export function splitSource(source: string): readonly string[] {
  const dot = source.indexOf('.');
  return dot === -1 ? [source] : [source.slice(0, dot), source.slice(dot + 1)];
}
