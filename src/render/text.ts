import { isSecret, type Value } from '../base/value.ts';
import { RenderFault } from './fault.ts';
import type { At } from './nodes.ts';
import { kindOf } from './outcome.ts';

/**
 * What a plain mustache writes: a string as it is, a number's source text, `true` or `false`.
 * @param name what the template calls the value.
 * @throws RenderFault RENDER_NOT_TEXT for everything that has no one obvious text.
 */
export function textOf(value: Value, name: string, at?: At): string {
  if (!isSecret(value)) {
    const hint = `Write {{json ${name}}}, or name one of its fields.`;
    throw new RenderFault('RENDER_NOT_TEXT', `${name} is ${kindOf(value)}`, { hint, at });
  }
  if (value.type === 'null') {
    const hint = `Write {{json ${name}}} for the word null, or {{default ${name} "…"}}.`;
    throw new RenderFault('RENDER_NOT_TEXT', `${name} is null`, { hint, at });
  }
  if (value.type === 'bytes') {
    const hint = `Write {{base64encode ${name}}}, or use format: raw.`;
    throw new RenderFault('RENDER_NOT_TEXT', `${name} holds bytes that are not UTF-8`, { hint, at });
  }
  const text = value.exposeText('file');
  if (value.type === 'string' && !text.isWellFormed()) {
    const hint = `Write {{json ${name}}}, or correct the value at the backend.`;
    throw new RenderFault('RENDER_NOT_TEXT', `${name} holds half a surrogate pair, which UTF-8 cannot carry`, {
      hint,
      at,
    });
  }
  return text;
}

/** Text to the bytes of a file. */
export const toBytes = (text: string): Uint8Array => Buffer.from(text, 'utf8');
