import { Secret } from '../../base/secret.ts';
import { type Helper, takeText } from './helper.ts';

export const trim: Helper = {
  usage: 'trim TEXT',
  does: 'The text without white space and line ends at both ends.',
  example: ['[{{trim "  shop  "}}]', '[shop]'],
  apply: ([text]) => Secret.text(takeText(text).trim()),
};
