import { Secret } from '../../base/secret.ts';
import { type Helper, wantText } from './helper.ts';

export const trim: Helper = {
  usage: 'trim TEXT',
  does: 'Without white space and line ends at both ends.',
  example: ['[{{trim "  shop  "}}]', '[shop]'],
  apply: ([text]) => Secret.text(wantText(text).trim()),
};
