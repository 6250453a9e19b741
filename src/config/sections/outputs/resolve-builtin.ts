import { makeNearest, thereIsNo } from '../../../base/nearest.ts';
import type { FileContent } from '../../config.ts';
import type { ConfigEntry } from '../../load/entry.ts';
import type { Problems } from '../../problems/problems.ts';
import type { OutputFileShape } from '../../schema.ts';
import { type KnownSecrets, splitSource } from '../secrets/resolve-source.ts';
import { BUILTIN_TEMPLATES, type BuiltinTemplate, builtinText } from './builtin-templates.ts';
import { INPUT_KEYS, type InputMap } from './resolve-inputs.ts';

/** The content of a file by the NAME of `builtin:NAME`. Undefined when something is wrong, which was added. */
export function resolveBuiltin(
  name: string,
  inputs: InputMap,
  shape: OutputFileShape,
  entry: ConfigEntry,
  secrets: KnownSecrets,
  problems: Problems,
): FileContent | undefined {
  if (!checkBuiltin(name, inputs, shape, entry, secrets, problems)) return undefined;
  return { kind: 'content', text: builtinText(name), builtin: name, ...(inputs.size === 0 ? {} : { inputs }) };
}

/** Whether the file gives a builtin template what it needs; what is wrong is added to `problems`. */
function checkBuiltin(
  name: string,
  inputs: InputMap,
  shape: OutputFileShape,
  { file, path }: ConfigEntry,
  secrets: KnownSecrets,
  problems: Problems,
): boolean {
  const before = problems.count;
  const builtin = BUILTIN_TEMPLATES.get(name);
  if (builtin === undefined) {
    const near = makeNearest(BUILTIN_TEMPLATES.keys())(name);
    const hint = `There are: ${[...BUILTIN_TEMPLATES.keys()].join(', ')}.`;
    problems.addUnknown('CONFIG_INVALID', file, [...path, 'template'], { what: 'builtin template', name, near }, hint);
    return false;
  }
  for (const kind of INPUT_KEYS) {
    for (const key of Object.keys(shape[kind] ?? {})) {
      const wrong = wrongKey(key, builtin);
      if (wrong !== undefined) problems.add('CONFIG_INVALID', file, [...path, kind, key], wrong, hintOf(builtin));
    }
  }
  const seen = problems.count === before && !secrets.has(builtin.input) ? whatIsMissing(builtin, inputs) : undefined;
  const hint = `Name the secret: with: { ${builtin.input}: SECRET }.`;
  if (seen !== undefined) problems.add('CONFIG_MISSING', file, [...path, 'template'], seen, hint);
  return problems.count === before;
}

function wrongKey(key: string, { input, fields, optional = [] }: BuiltinTemplate): string | undefined {
  const [name, field] = splitSource(key);
  if (name !== input) return `the builtin template takes ${input} and nothing else`;
  if (field === undefined || fields === undefined) return undefined;
  return [...fields, ...optional].includes(field) ? undefined : 'the builtin template does not use this field';
}

function hintOf({ input, fields, optional = [] }: BuiltinTemplate): string {
  if (fields === undefined) return `Write ${input}, or ${input}.FIELD.`;
  return `Its fields are ${[...fields, ...optional].map((field) => `${input}.${field}`).join(', ')}.`;
}

/**
 * What is missing when no secret has the name of the input: `with` must give the secret, or each of the fields.
 * Undefined when nothing is.
 */
function whatIsMissing({ input, fields = [] }: BuiltinTemplate, inputs: InputMap): string | undefined {
  const given = inputs.get(input);
  if (given === undefined) return `the builtin template needs ${input}, and ${thereIsNo('secret', input, undefined)}`;
  const there = given.fields.map(([field]) => field);
  const missing = given.is === undefined ? fields.filter((field) => !there.includes(field)) : [];
  return missing.length === 0
    ? undefined
    : `the builtin template needs ${missing.map((field) => `${input}.${field}`).join(', ')}`;
}
