import { Secret } from '../../base/secret.ts';
import type { Value } from '../../base/value.ts';
import { BadArgument, type Helper, isOn, takeText } from './helper.ts';
import { search } from './search.ts';

export const matches: Helper = {
  usage: 'matches TEXT PATTERN',
  options: ['ignoreCase'],
  does: 'Whether the regular expression PATTERN (JavaScript, with the flag `u`) matches anywhere in TEXT; with `ignoreCase=true` in any letters.',
  example: ['{{#if (matches db.username "^sh")}}yes{{/if}}', 'yes'],
  checks: { PATTERN: patternOf },
  apply([text, given], options) {
    const [pattern, whole] = [patternOf(given, options.get('ignoreCase')), takeText(text)];
    return Secret.boolean(search(pattern, whole, () => pattern.test(whole)));
  },
};

export const replacePattern: Helper = {
  usage: 'replacePattern TEXT PATTERN NEW',
  options: ['ignoreCase'],
  does: 'The text with everything that PATTERN matches replaced by NEW, in which `$1` and `$<name>` are groups and `$$` is a `$`.',
  example: ['{{replacePattern app.name "[aeiou]" "*"}}', 'sh*p'],
  checks: { PATTERN: patternOf },
  apply([text, given, to], options) {
    const [pattern, whole, other] = [patternOf(given, options.get('ignoreCase')), takeText(text), takeText(to)];
    return Secret.text(search(pattern, whole, () => whole.replace(pattern, other)));
  },
};

/** @throws BadArgument */
function patternOf(value: Value | undefined, ignoreCase?: Value): RegExp {
  try {
    return new RegExp(takeText(value), isOn(ignoreCase) ? 'giu' : 'gu');
  } catch (error) {
    if (error instanceof BadArgument) throw error;
    throw new BadArgument('takes a regular expression as PATTERN');
  }
}
