import { isVariableName, variableNameRule } from '../../../base/variable-name.ts';
import type { FormatOptions } from '../../config.ts';
import type { ConfigEntry } from '../../load/entry.ts';
import type { Problems } from '../../problems/problems.ts';
import type { OutputFileShape } from '../../schema.ts';
import { type KnownSecrets, resolveSource } from '../secrets/resolve-source.ts';

/** The keys of a configuration that say how fields become keys. */
export const KEY_OPTIONS = ['rename', 'case', 'prefix', 'keys'] as const;

type KeysShape = Pick<OutputFileShape, (typeof KEY_OPTIONS)[number]> & { readonly names?: 'any' | undefined };

export function keyOptionsOf({ rename, case: letters, prefix, keys, names }: KeysShape): FormatOptions {
  return {
    ...(rename === undefined ? {} : { rename: Object.entries(rename) }),
    ...(letters === undefined ? {} : { case: letters }),
    ...(prefix === undefined ? {} : { prefix }),
    ...(keys === undefined ? {} : { keys }),
    ...(names === undefined ? {} : { names }),
  };
}

/** Refuses names that are wrong whatever the fields are. The others are checked when the fields are known. */
export function checkVariables(
  { prefix = '', rename = {}, names }: KeysShape,
  { file, path }: ConfigEntry,
  problems: Problems,
): void {
  const rule = variableNameRule(names);
  const hint = `${rule.charAt(0).toUpperCase()}${rule.slice(1)}.`;
  const isPrefix = prefix === '' || isVariableName(prefix, names);
  if (!isPrefix) {
    const seen = 'the name of a variable cannot begin with this prefix';
    problems.add('CONFIG_INVALID', file, [...path, 'prefix'], seen, hint);
  }
  for (const [field, name] of Object.entries(rename)) {
    // Behind a wrong prefix every name is wrong, which is no news of the name.
    if (isVariableName(`${isPrefix ? prefix : '_'}${name}`, names)) continue;
    problems.add('CONFIG_INVALID', file, [...path, 'rename', field], 'the new name is no name of a variable', hint);
  }
}

/** The sources of `from`, each split at its first dot. Those that are wrong are added to `problems`. */
export function resolveSources(
  from: OutputFileShape['from'],
  { file, path }: ConfigEntry,
  secrets: KnownSecrets,
  problems: Problems,
): readonly (readonly string[])[] {
  const place = [...path, 'from'];
  const names = typeof from === 'string' ? [from] : (from ?? []);
  return names.flatMap((name, index) => {
    const split = resolveSource(name, file, typeof from === 'string' ? place : [...place, index], secrets, problems);
    return split === undefined ? [] : [split];
  });
}
