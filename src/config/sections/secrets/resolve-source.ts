import type { SourceFile } from '../../load/source-file.ts';
import type { ConfigPath } from '../../place.ts';
import type { Problems } from '../../problems/problems.ts';

/** The secrets an output may name, also those with problems of their own. */
export interface KnownSecrets {
  has(name: string): boolean;
  nearest(name: string): string | undefined;
}

/** `app` or `app.key` of `from` and `with`, split; undefined when something is wrong. */
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
    problems.add('CONFIG_INVALID', file, at, 'nothing stands after the dot', 'Write NAME or NAME.FIELD.');
  if (!secrets.has(name)) {
    const near = secrets.nearest(name);
    const hint = near === undefined ? undefined : 'Correct it.';
    problems.addUnknown('CONFIG_UNKNOWN_SECRET', file, at, { what: 'secret', name, near }, hint);
  }
  return problems.count === before ? split : undefined;
}

/** `app.key` as [`app`, `key`]. Names of secrets have no dot, so the rest is the field, dots and all. */
export function splitSource(source: string): readonly string[] {
  const dot = source.indexOf('.');
  return dot === -1 ? [source] : [source.slice(0, dot), source.slice(dot + 1)];
}
