import { isSecret, type Value } from '../../base/value.ts';
import { RenderFault } from './fault.ts';
import { valueKind } from './outcome.ts';
import type { Position } from './position.ts';

/**
 * The text that `{{x}}` writes: a string as it is, a number's source text, `true` or `false`.
 * @param written the expression as the template writes it, for hints.
 * @param nameOf what messages call the value.
 * @throws RenderFault RENDER_NOT_TEXT for a value that has no single obvious text.
 */
export function textOf(value: Value, written: string, at?: Position, nameOf = () => written): string {
  if (!isSecret(value)) {
    const hint = `Write {{json ${written}}}, or name one of its fields.`;
    throw new RenderFault('RENDER_NOT_TEXT', `${nameOf()} is ${valueKind(value)}`, { hint, at });
  }
  if (value.type === 'null') {
    const hint = `Write {{json ${written}}} for the word null, or {{default ${written} "…"}}.`;
    throw new RenderFault('RENDER_NOT_TEXT', `${nameOf()} is null`, { hint, at });
  }
  if (value.type === 'bytes') {
    const hint = `Write {{base64encode ${written}}}, or use format: raw.`;
    throw new RenderFault('RENDER_NOT_TEXT', `${nameOf()} holds bytes that are not UTF-8`, { hint, at });
  }
  const text = value.exposeText('file');
  if (value.type === 'string' && !text.isWellFormed()) {
    const hint = `Write {{json ${written}}}, or correct the value at the backend.`;
    throw new RenderFault('RENDER_NOT_TEXT', `${nameOf()} holds half a surrogate pair, which UTF-8 cannot carry`, {
      hint,
      at,
    });
  }
  return text;
}

/** The bytes of a text in a file: UTF-8. */
export const toBytes = (text: string): Uint8Array => Buffer.from(text, 'utf8');
