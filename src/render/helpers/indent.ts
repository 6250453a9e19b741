import { Secret } from '../../base/secret.ts';
import type { Value } from '../../base/value.ts';
import { type Helper, takeCount, takeText } from './helper.ts';

const MAX_SPACES = 1000;
const spacesOf = (value: Value | undefined): number => takeCount(value, 'SPACES', MAX_SPACES);

export const indent: Helper = {
  usage: 'indent SPACES TEXT',
  does: 'The text with spaces before every line that is not empty, including the first line.',
  example: ['[{{indent 2 app.name}}]', '[  shop]'],
  checks: { SPACES: spacesOf },
  apply([spaces, text]) {
    const margin = ' '.repeat(spacesOf(spaces));
    const lines = takeText(text).split('\n');
    return Secret.text(lines.map((line) => (line === '' ? line : margin + line)).join('\n'));
  },
};
