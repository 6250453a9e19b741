import { Secret } from '../../base/secret.ts';
import type { Value } from '../../base/value.ts';
import { QUOTINGS } from '../text/quoting.ts';
import { BadArgument, type Helper, takeOneOf, takeText } from './helper.ts';

const TARGETS = Object.keys(QUOTINGS) as (keyof typeof QUOTINGS)[];
const targetOf = (value: Value | undefined) => takeOneOf(value, 'TARGET', TARGETS);

export const quote: Helper = {
  usage: 'quote TARGET TEXT',
  does: 'The text quoted so that a reader of the TARGET gets the same text; the targets are listed [below](#quoting).',
  example: ['{{quote "shell" app.[pass-word]}}', `'it'\\''s'`],
  checks: { TARGET: targetOf },
  apply([target, text]) {
    const name = targetOf(target);
    const quoted = QUOTINGS[name].quote(takeText(text));
    if (quoted === undefined) throw new BadArgument(`cannot write this text for ${name}`);
    return Secret.text(quoted);
  },
};
