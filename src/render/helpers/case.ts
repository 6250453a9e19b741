import { Secret } from '../../base/secret.ts';
import { type Helper, takeText } from './helper.ts';

export const upper: Helper = {
  usage: 'upper TEXT',
  does: 'The text in capital letters, the same in every locale.',
  example: ['{{upper app.name}}', 'SHOP'],
  apply: ([text]) => Secret.text(takeText(text).toUpperCase()),
};

export const title: Helper = {
  usage: 'title TEXT',
  does: 'The text with a capital letter at the beginning of each word.',
  example: ['{{title "my shop"}}', 'My Shop'],
  apply: ([text]) =>
    Secret.text(takeText(text).replace(/(?<![\p{L}\p{N}_'’])\p{L}/gu, (letter) => letter.toUpperCase())),
};

export const lower: Helper = {
  usage: 'lower TEXT',
  does: 'The text in small letters, the same in every locale.',
  example: ['{{lower "Shop"}}', 'shop'],
  apply: ([text]) => Secret.text(takeText(text).toLowerCase()),
};
