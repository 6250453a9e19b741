/** Renders builtin templates with given fields of the secret that they name. */
import { expect } from 'vitest';
import { type Failure, failure } from '../../src/base/errors.ts';
import { Secret } from '../../src/base/secret.ts';
import type { Fields, Value } from '../../src/base/value.ts';
import { BUILTIN_TEMPLATES, builtinText } from '../../src/config/sections/outputs/builtin-templates.ts';
import { createRenderer } from '../../src/render/renderer.ts';
import { TEXTS } from '../render/formats/values.helpers.ts';
import { outputOf, snapshotOf } from '../render/render.helpers.ts';

type Texts = Readonly<Record<string, string | null | readonly string[]>>;

/** A value with special characters of every format. */
export const NASTY = `p@ss "w'ord" $HOME \${x} $(id) \`id\` #no ;no :/\\ %d <a&b> {j} [s] é 日本 😀 =`;

const valueFrom = (text: Texts[string]): Value => {
  if (text === null) return Secret.null();
  return typeof text === 'string' ? Secret.text(text) : text.map((item) => Secret.text(item));
};

const fieldsOf = (texts: Texts): Fields =>
  new Map(Object.entries(texts).map(([name, text]) => [name, valueFrom(text)]));

/** A function that renders the builtin with given fields: to its text, or to a failure. */
export async function builtin(name: string): Promise<(fields: Texts) => Promise<string | Failure>> {
  const { input } = BUILTIN_TEMPLATES.get(name) ?? { input: '' };
  const output = outputOf({ f: { kind: 'content', text: builtinText(name), builtin: name } });
  const renderer = await createRenderer(output, { secrets: new Set([input]), backends: new Map() });
  return async (fields) => {
    const rendered = await renderer.render(snapshotOf({ [input]: fieldsOf(fields) }));
    if (rendered.kind === 'failed') return rendered.why;
    if (rendered.kind === 'waits') return failure('INTERNAL', name, 'it waits');
    return Buffer.from(rendered.files.get('f') as Uint8Array).toString();
  };
}

/** The text of the builtin with these fields. */
export async function textOf(name: string, fields: Texts): Promise<string> {
  const text = await (await builtin(name))(fields);
  if (typeof text !== 'string') throw new Error(JSON.stringify(text));
  return text;
}

/** The text of the builtin with these fields; expects it to equal the golden file. */
export async function golden(name: string, fields: Texts): Promise<string> {
  const text = await textOf(name, fields);
  await expect(text).toMatchFileSnapshot(`../fixtures/templates/${name}.golden`);
  return text;
}

/** The code of the failure with these fields; undefined when the builtin is rendered. */
export async function codeOf(name: string, fields: Texts): Promise<string | undefined> {
  const text = await (await builtin(name))(fields);
  return typeof text === 'string' ? undefined : text.code;
}

/** The message of the failure with these fields; undefined when the builtin is rendered. */
export async function seenOf(name: string, fields: Texts): Promise<string | undefined> {
  const text = await (await builtin(name))(fields);
  return typeof text === 'string' ? undefined : text.seen;
}

/** Each of TEXTS that the builtin can write, with its file. Expects the others to be RENDER_BAD_ARGUMENT. */
export async function eachText(
  name: string,
  fieldsWith: (text: string) => Texts,
): Promise<readonly (readonly [text: string, file: string])[]> {
  const render = await builtin(name);
  const taken: (readonly [string, string])[] = [];
  for (const text of TEXTS) {
    const file = await render(fieldsWith(text));
    if (typeof file === 'string') taken.push([text, file]);
    else expect([file.code, text]).toEqual(['RENDER_BAD_ARGUMENT', text]);
  }
  return taken;
}
