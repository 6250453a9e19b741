import { Secret } from '../../base/secret.ts';
import { type Helper, wantCount, wantText } from './helper.ts';

const MOST_SPACES = 1000;

export const indent: Helper = {
  usage: 'indent SPACES TEXT',
  does: 'Puts spaces before every line that is not empty, the first one too.',
  example: ['[{{indent 2 app.name}}]', '[  shop]'],
  apply([spaces, text]) {
    const margin = ' '.repeat(wantCount(spaces, 'SPACES', MOST_SPACES));
    const lines = wantText(text).split('\n');
    return Secret.text(lines.map((line) => (line === '' ? line : margin + line)).join('\n'));
  },
};
