import { Secret } from '../../base/secret.ts';
import { type Helper, wantSomeText, wantText } from './helper.ts';

export const replace: Helper = {
  usage: 'replace TEXT OLD NEW',
  does: 'The text with every OLD made NEW; both are plain text, no pattern.',
  example: ['{{replace app.name "op" "oe"}}', 'shoe'],
  checks: { OLD: (value) => wantSomeText(value, 'OLD') },
  apply([text, from, to]) {
    const by = wantText(to);
    // A function, since $& and its kin mean something in a text.
    return Secret.text(wantText(text).replaceAll(wantSomeText(from, 'OLD'), () => by));
  },
};
