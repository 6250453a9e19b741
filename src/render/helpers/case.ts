import { Secret } from '../../base/secret.ts';
import { type Helper, takeText } from './helper.ts';

export const upper: Helper = {
  usage: 'upper TEXT',
  does: 'The text in capital letters, the same in every locale.',
  example: ['{{upper app.name}}', 'SHOP'],
  apply: ([text]) => Secret.text(takeText(text).toUpperCase()),
};

export const lower: Helper = {
  usage: 'lower TEXT',
  does: 'The text in small letters, the same in every locale.',
  example: ['{{lower "Shop"}}', 'shop'],
  apply: ([text]) => Secret.text(takeText(text).toLowerCase()),
};
