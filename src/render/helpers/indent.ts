import { Secret } from '../../base/secret.ts';
import type { Value } from '../../base/value.ts';
import { type Helper, wantCount, wantText } from './helper.ts';

const MAX_SPACES = 1000;
const spacesOf = (value: Value | undefined): number => wantCount(value, 'SPACES', MAX_SPACES);

export const indent: Helper = {
  usage: 'indent SPACES TEXT',
  does: 'Puts spaces before every line that is not empty, the first one too.',
  example: ['[{{indent 2 app.name}}]', '[  shop]'],
  checks: { SPACES: spacesOf },
  apply([spaces, text]) {
    const margin = ' '.repeat(spacesOf(spaces));
    const lines = wantText(text).split('\n');
    return Secret.text(lines.map((line) => (line === '' ? line : margin + line)).join('\n'));
  },
};
