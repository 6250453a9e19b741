import { Secret } from '../../base/secret.ts';
import type { Value } from '../../base/value.ts';
import { BadArgument, type Helper, takeText } from './helper.ts';
import { search } from './search.ts';

export const match: Helper = {
  usage: 'match TEXT PATTERN',
  does:
    'TEXT unchanged, when the regular expression PATTERN (JavaScript, with the flag `u`) matches all of it; otherwise ' +
    'an error. For files whose format has no quoting.',
  example: ['{{match db.username "[a-z]+"}}', 'shop'],
  checks: { PATTERN: patternOf },
  apply([text, whole]) {
    const [given, pattern] = [takeText(text), patternOf(whole)];
    if (!search(pattern, given, () => pattern.test(given)))
      throw new BadArgument('got a text that does not match its pattern');
    return Secret.text(given);
  },
};

function patternOf(value: Value | undefined): RegExp {
  try {
    return new RegExp(`^(?:${takeText(value)})$`, 'u');
  } catch (error) {
    if (error instanceof BadArgument) throw error;
    throw new BadArgument('takes a regular expression as PATTERN');
  }
}
