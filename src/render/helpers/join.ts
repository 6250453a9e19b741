import { Secret } from '../../base/secret.ts';
import { type Helper, wantList, wantText } from './helper.ts';

export const join: Helper = {
  usage: 'join LIST SEPARATOR',
  does: 'The items of a list as one text.',
  example: ['{{join app.hosts ", "}}', 'a.svc, b.svc'],
  apply: ([list, separator]) => Secret.text(wantList(list).map(wantText).join(wantText(separator))),
};
