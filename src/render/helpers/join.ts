import { Secret } from '../../base/secret.ts';
import { type Helper, takeList, takeText } from './helper.ts';

export const join: Helper = {
  usage: 'join LIST SEPARATOR',
  does: 'The items of a list as one text, with SEPARATOR between two.',
  example: ['{{join app.hosts ", "}}', 'a.svc, b.svc'],
  apply: ([list, separator]) => Secret.text(takeList(list).map(takeText).join(takeText(separator))),
};
