import { Secret } from '../../base/secret.ts';
import type { Value } from '../../base/value.ts';
import { QUOTINGS } from '../text/quoting.ts';
import { BadArgument, type Helper, wantOneOf, wantText } from './helper.ts';

const TARGETS = Object.keys(QUOTINGS) as (keyof typeof QUOTINGS)[];
const targetOf = (value: Value | undefined) => wantOneOf(value, 'TARGET', TARGETS);

export const quote: Helper = {
  usage: 'quote TARGET TEXT',
  does: 'The text as one that will read it takes it for the same text; [targets](#quoting) below.',
  example: ['{{quote "shell" app.[pass-word]}}', `'it'\\''s'`],
  checks: { TARGET: targetOf },
  apply([target, text]) {
    const name = targetOf(target);
    const quoted = QUOTINGS[name].quote(wantText(text));
    if (quoted === undefined) throw new BadArgument(`has no way to write this text for ${name}`);
    return Secret.text(quoted);
  },
};
