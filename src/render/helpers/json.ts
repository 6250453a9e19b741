import { Secret } from '../../base/secret.ts';
import type { Value } from '../../base/value.ts';
import { writeJson } from '../text/json.ts';
import { type Helper, takeCount, takeOneOf, takeValue } from './helper.ts';

const MAX_INDENT = 10;

const indentOf = (indent: Value | undefined): number =>
  indent === undefined ? 0 : takeCount(indent, 'indent', MAX_INDENT);

const escapeOf = (given: Value | undefined) => (given === undefined ? undefined : takeOneOf(given, 'escape', ['html']));

/** Outside of texts JSON has none of them. */
const HTML = /[<>&\u2028\u2029]/g;

const escaped = (char: string): string => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;

export const json: Helper = {
  usage: 'json VALUE',
  options: ['indent', 'escape'],
  does:
    'Any value as JSON on one line, or on several lines with `indent=2`. Numbers keep their spelling, bytes become base64. ' +
    'With `escape="html"` the characters `<`, `>` and `&` become escapes, as Go writes them.',
  example: ['{{json app.hosts}}', '["a.svc","b.svc"]'],
  checks: { indent: indentOf, escape: escapeOf },
  apply([value], options) {
    const text = writeJson(takeValue(value), indentOf(options.get('indent')));
    return Secret.text(escapeOf(options.get('escape')) === undefined ? text : text.replace(HTML, escaped));
  },
};
