import { Secret } from '../../../base/secret.ts';
import type { InputConfig, InputSource } from '../../config.ts';
import type { ConfigEntry } from '../../load/entry.ts';
import { type ConfigPath, pathKey } from '../../place.ts';
import type { Problems } from '../../problems/problems.ts';
import type { OutputFileShape } from '../../schema.ts';
import { type KnownSecrets, resolveSource, splitSource } from '../secrets/resolve-source.ts';

/** Keys of a file that go with `template` and `content` only. */
export const INPUT_KEYS = ['with', 'values'] as const;

/** What the names of one template stand for: `with` gives them secrets, `values` plain values. */
export type InputMap = ReadonlyMap<string, InputConfig>;

const NAME = /^[A-Za-z_][A-Za-z0-9_-]*$/;
const SECRET_FIELD = /^(?:password|passwd|secret|secret_?key|token|private_?key|client_?secret)$/i;

/** The inputs of one file by name. Undefined when something is wrong; it was added to `problems`. */
export function resolveInputs(
  { with: sources = {}, values = {} }: OutputFileShape,
  { file, path }: ConfigEntry,
  secrets: KnownSecrets,
  problems: Problems,
): InputMap | undefined {
  const before = problems.count;
  const inputs = new Map<string, { is?: InputSource; fields: [string, InputSource][] }>();
  for (const [key, source] of Object.entries(sources)) {
    const at = [...path, 'with', key];
    const from = resolveSource(source, file, at, secrets, problems);
    if (from !== undefined) put(key, at, { kind: 'secret', from });
  }
  for (const [key, value] of Object.entries(values)) {
    const at = [...path, 'values', key];
    if (Object.hasOwn(sources, key)) problems.add('CONFIG_DUPLICATE', file, at, 'with has the same name');
    else put(key, at, { kind: 'value', value: leafOf(value) });
    warnOfLiteral(key, value, at);
  }
  for (const [name, input] of inputs) {
    if (input.is === undefined && secrets.has(name)) input.is = { kind: 'secret', from: [name] };
  }
  return problems.count === before ? inputs : undefined;

  function put(key: string, at: ConfigPath, source: InputSource): void {
    const [name = '', field] = splitSource(key);
    if (!NAME.test(name) || field === '') {
      const hint = 'Write NAME or NAME.FIELD, as the template does.';
      problems.add('CONFIG_INVALID', file, at, 'a template cannot use this name', hint);
      return;
    }
    const input = inputs.get(name) ?? { fields: [] };
    inputs.set(name, input);
    if (field === undefined) input.is = source;
    else input.fields.push([field, source]);
  }

  function warnOfLiteral(key: string, value: unknown, at: ConfigPath): void {
    if (typeof value !== 'string' || !SECRET_FIELD.test(key.slice(key.indexOf('.') + 1))) return;
    if (file.filled.has(pathKey(at))) return;
    const hint = 'Keep it in a backend and name it in with, or use ${env:NAME} or ${file:PATH}.';
    problems.warn('CONFIG_LITERAL_SECRET', file, at, 'a secret is written literally', hint);
  }
}

function leafOf(value: string | number | boolean): Secret {
  if (typeof value === 'string') return Secret.text(value);
  return typeof value === 'number' ? Secret.number(String(value)) : Secret.boolean(value);
}
