import type { Destination, Secret } from '../../base/secret.ts';
import { isList, isSecret, type Value } from '../../base/value.ts';

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** Whether a number's source text is a JSON number; YAML's `.inf` is not. */
export const isJsonNumber = (source: string): boolean => NUMBER.test(source);

/**
 * A value as JSON. Numbers keep their source text (2^53+1 and 1.10 are not rounded), bytes become base64, and half a
 * surrogate pair becomes its escape. A number that JSON cannot write (YAML's `.inf`) becomes a string.
 * @param indent spaces per level; 0 writes everything on one line, without spaces.
 * @param to where the text goes.
 */
export function writeJson(value: Value, indent: number, to: Destination = 'file'): string {
  const pieces: string[] = [];
  write(value, { indent, to }, '', pieces);
  return pieces.join('');
}

interface JsonStyle {
  readonly indent: number;
  readonly to: Destination;
}

function write(value: Value, style: JsonStyle, margin: string, pieces: string[]): void {
  const { indent, to } = style;
  if (isSecret(value)) {
    pieces.push(leaf(value, to));
    return;
  }
  const inner = indent === 0 ? '' : `${margin}${' '.repeat(indent)}`;
  const gap = indent === 0 ? '' : `\n${inner}`;
  const [open, close] = isList(value) ? '[]' : '{}';
  let separator = open;
  if (isList(value)) {
    for (const item of value) {
      pieces.push(`${separator}${gap}`);
      write(item, style, inner, pieces);
      separator = ',';
    }
  } else {
    for (const [name, field] of value) {
      pieces.push(`${separator}${gap}${JSON.stringify(name)}:${indent === 0 ? '' : ' '}`);
      write(field, style, inner, pieces);
      separator = ',';
    }
  }
  if (separator === open) pieces.push(`${open}${close}`);
  else pieces.push(indent === 0 ? `${close}` : `\n${margin}${close}`);
}

function leaf(value: Secret, to: Destination): string {
  if (value.type === 'bytes') return `"${Buffer.from(value.exposeBytes(to)).toString('base64')}"`;
  const text = value.exposeText(to);
  if (value.type === 'string') return JSON.stringify(text);
  return value.type === 'number' && !isJsonNumber(text) ? JSON.stringify(text) : text;
}
