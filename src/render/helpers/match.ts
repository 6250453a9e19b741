import { Secret } from '../../base/secret.ts';
import type { Value } from '../../base/value.ts';
import { BadArgument, type Helper, wantText } from './helper.ts';

export const match: Helper = {
  usage: 'match TEXT PATTERN',
  does:
    'TEXT as it is, when the regular expression PATTERN (JavaScript, with the flag `u`) fits all of it; else a ' +
    'failure. For what a file cannot quote.',
  example: ['{{match db.username "[a-z]+"}}', 'shop'],
  checks: { PATTERN: patternOf },
  apply([text, pattern]) {
    const given = wantText(text);
    if (!patternOf(pattern).test(given)) throw new BadArgument('got a text that its pattern does not fit');
    return Secret.text(given);
  },
};

function patternOf(value: Value | undefined): RegExp {
  try {
    return new RegExp(`^(?:${wantText(value)})$`, 'u');
  } catch (error) {
    if (error instanceof BadArgument) throw error;
    throw new BadArgument('wants for PATTERN a regular expression');
  }
}
