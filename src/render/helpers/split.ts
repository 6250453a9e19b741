import { Secret } from '../../base/secret.ts';
import { type Helper, takeNonEmptyText, takeText } from './helper.ts';

export const split: Helper = {
  usage: 'split TEXT SEPARATOR',
  does: 'The parts of a text as a list, including empty parts. An empty text gives an empty list.',
  example: ['{{#each (split "a,b" ",")}}<{{this}}>{{/each}}', '<a><b>'],
  checks: { SEPARATOR: (value) => takeNonEmptyText(value, 'SEPARATOR') },
  apply([text, separator]) {
    const whole = takeText(text);
    const between = takeNonEmptyText(separator, 'SEPARATOR');
    return whole === '' ? [] : whole.split(between).map((part) => Secret.text(part));
  },
};
