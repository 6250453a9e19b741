import { Secret } from '../../base/secret.ts';
import { type Helper, wantSomeText, wantText } from './helper.ts';

export const split: Helper = {
  usage: 'split TEXT SEPARATOR',
  does: 'The parts of a text as a list, empty ones too; an empty text has none.',
  example: ['{{#each (split "a,b" ",")}}<{{this}}>{{/each}}', '<a><b>'],
  checks: { SEPARATOR: (value) => wantSomeText(value, 'SEPARATOR') },
  apply([text, separator]) {
    const whole = wantText(text);
    const between = wantSomeText(separator, 'SEPARATOR');
    return whole === '' ? [] : whole.split(between).map((part) => Secret.text(part));
  },
};
