import { Secret } from '../../base/secret.ts';
import { isList } from '../../base/value.ts';
import { kindOf } from '../outcome.ts';
import { BadArgument, type Helper, wantText } from './helper.ts';

export const join: Helper = {
  usage: 'join LIST SEPARATOR',
  does: 'The items of a list as one text.',
  example: ['{{join app.hosts ", "}}', 'a.svc, b.svc'],
  apply([list, separator]) {
    if (!isList(list))
      throw new BadArgument(`wants a list first, not ${list === undefined ? 'nothing' : kindOf(list)}`);
    return Secret.text(list.map(wantText).join(wantText(separator)));
  },
};
