import { Secret } from '../../base/secret.ts';
import { type Helper, wantText } from './helper.ts';

export const concat: Helper = {
  usage: 'concat TEXT…',
  does: 'The texts as one, for a helper around it: what stands side by side in a template needs no `concat`.',
  example: ['{{concat db.username ":" app.port}}', 'shop:8080'],
  apply: (args) => Secret.text(args.map(wantText).join('')),
};
