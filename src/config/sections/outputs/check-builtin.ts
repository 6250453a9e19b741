import { makeNearest } from '../../../base/nearest.ts';
import type { ConfigEntry } from '../../load/entry.ts';
import type { Problems } from '../../problems/problems.ts';
import type { OutputFileShape } from '../../schema.ts';
import { type KnownSecrets, splitSource } from '../secrets/resolve-source.ts';
import { BUILTIN_TEMPLATES, type BuiltinTemplate } from './builtin-templates.ts';
import { INPUT_KEYS, type InputMap } from './resolve-inputs.ts';

/** What a builtin takes is known, so what it is given is checked before its template is read. */
export function checkBuiltin(
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
  const seen = problems.count === before && !secrets.has(builtin.input) ? whatLacks(builtin, inputs) : undefined;
  const hint = `Say which secret it is: with: { ${builtin.input}: SECRET }.`;
  if (seen !== undefined) problems.add('CONFIG_MISSING', file, [...path, 'template'], seen, hint);
  return problems.count === before;
}

function wrongKey(key: string, { input, fields, optional = [] }: BuiltinTemplate): string | undefined {
  const [name, field] = splitSource(key);
  if (name !== input) return `it is made of ${input} and of nothing else`;
  if (field === undefined || fields === undefined) return undefined;
  return [...fields, ...optional].includes(field) ? undefined : 'it has no place for this field';
}

function hintOf({ input, fields, optional = [] }: BuiltinTemplate): string {
  if (fields === undefined) return `Write ${input}, or ${input}.FIELD.`;
  return `Its fields are ${[...fields, ...optional].map((field) => `${input}.${field}`).join(', ')}.`;
}

/** Without a secret of the input's own name, `with` names one, or it names all the fields. */
function whatLacks({ input, fields = [] }: BuiltinTemplate, inputs: InputMap): string | undefined {
  const given = inputs.get(input);
  if (given === undefined) return `it is made of ${input}, and there is no secret named "${input}"`;
  const there = given.fields.map(([field]) => field);
  const missing = given.is === undefined ? fields.filter((field) => !there.includes(field)) : [];
  return missing.length === 0 ? undefined : `nothing gives ${missing.map((it) => `${input}.${it}`).join(', ')}`;
}
