import { Secret } from '../../base/secret.ts';
import { type Helper, wantText } from './helper.ts';

export const upper: Helper = {
  usage: 'upper TEXT',
  does: 'Capital letters, the same in every locale.',
  example: ['{{upper app.name}}', 'SHOP'],
  apply: ([text]) => Secret.text(wantText(text).toUpperCase()),
};

export const lower: Helper = {
  usage: 'lower TEXT',
  does: 'Small letters, the same in every locale.',
  example: ['{{lower "Shop"}}', 'shop'],
  apply: ([text]) => Secret.text(wantText(text).toLowerCase()),
};
