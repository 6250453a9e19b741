import { Secret } from '../../base/secret.ts';
import { type Helper, takeText } from './helper.ts';

export const concat: Helper = {
  usage: 'concat TEXT…',
  does: 'The texts joined, as an argument of another helper; texts side by side in a template need no `concat`.',
  example: ['{{concat db.username ":" app.port}}', 'shop:8080'],
  apply: (args) => Secret.text(args.map(takeText).join('')),
};
