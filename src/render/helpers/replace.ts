import { Secret } from '../../base/secret.ts';
import { type Helper, takeNonEmptyText, takeText } from './helper.ts';

export const replace: Helper = {
  usage: 'replace TEXT OLD NEW',
  does: 'The text with every OLD replaced by NEW. Both are plain text, not patterns.',
  example: ['{{replace app.name "op" "oe"}}', 'shoe'],
  checks: { OLD: (value) => takeNonEmptyText(value, 'OLD') },
  apply([text, from, to]) {
    const replacement = takeText(to);
    // A function, since `$&` and the like have a meaning in a replacement text.
    return Secret.text(takeText(text).replaceAll(takeNonEmptyText(from, 'OLD'), () => replacement));
  },
};
