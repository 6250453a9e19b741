import type { Secret } from '../../base/secret.ts';
import { isList, isSecret, type Value } from '../../base/value.ts';
import { isJsonNumber } from './json.ts';

/**
 * A value as YAML in block style, without a newline at the end. YAML 1.1 and 1.2 read the same value back: a text is
 * always in double quotes on one line, so it cannot be taken for a number, a boolean, a date, or a folded line. Numbers
 * keep their source text, bytes become base64, and half a surrogate pair becomes its escape.
 */
export function writeYaml(value: Value): string {
  const pieces: string[] = [];
  write(value, '', pieces);
  return pieces.join('');
}

/** Writes a value from the column that `margin` is wide; all lines but the first begin with `margin`. */
function write(value: Value, margin: string, pieces: string[]): void {
  if (isSecret(value)) {
    pieces.push(leaf(value));
  } else if (isList(value)) {
    for (const [i, item] of value.entries()) {
      pieces.push(i === 0 ? '- ' : `\n${margin}- `);
      write(item, `${margin}  `, pieces);
    }
    if (value.length === 0) pieces.push('[]');
  } else {
    let lead = '';
    for (const [name, field] of value) {
      pieces.push(lead, keyOf(name, margin));
      const inner = `${margin}  `;
      pieces.push(isSecret(field) || isEmpty(field) ? ' ' : `\n${inner}`);
      write(field, inner, pieces);
      lead = `\n${margin}`;
    }
    if (value.size === 0) pieces.push('{}');
  }
}

const isEmpty = (value: Exclude<Value, Secret>): boolean => (isList(value) ? value.length : value.size) === 0;

const PLAIN_KEY = /^[A-Za-z_][A-Za-z0-9_.-]*$/;
/** Words that YAML 1.1 or 1.2 takes for a boolean or for null unless they are quoted. */
const RESERVED_WORD = /^(?:y|n|yes|no|on|off|true|false|null)$/i;
/** YAML allows 1024 characters for a key on the line of its colon. A longer key gets its own line after `?`. */
const MAX_KEY_LENGTH = 1000;

function keyOf(name: string, margin: string): string {
  const text = PLAIN_KEY.test(name) && !RESERVED_WORD.test(name) ? name : quoteYaml(name);
  return text.length > MAX_KEY_LENGTH ? `? ${text}\n${margin}:` : `${text}:`;
}

/** YAML 1.1 takes only this form of a number with an exponent for a number; other forms get the tag `!!float`. */
const EXPONENT_OF_1_1 = /\.\d*[eE][-+]\d+$/;

function leaf(value: Secret): string {
  if (value.type === 'bytes') return `"${Buffer.from(value.exposeBytes('file')).toString('base64')}"`;
  const text = value.exposeText('file');
  if (value.type === 'string' || (value.type === 'number' && !isJsonNumber(text))) return quoteYaml(text);
  return value.type === 'number' && /e/i.test(text) && !EXPONENT_OF_1_1.test(text) ? `!!float ${text}` : text;
}

/** Characters that YAML cannot hold as they are, or that YAML 1.1 takes for a line break. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are escaped
const ESCAPED = /["\\]|[\0-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]|[\ud800-\udfff]/gu;
const NAMED: Readonly<Record<string, string>> = { '"': '\\"', '\\': '\\\\', '\n': '\\n', '\t': '\\t', '\r': '\\r' };

/** A text as a scalar in double quotes, on one line. */
export const quoteYaml = (text: string): string =>
  `"${text.replace(ESCAPED, (char) => NAMED[char] ?? `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)}"`;
