import { type Helper, takeList } from './helper.ts';

export const first: Helper = {
  usage: 'first LIST',
  does: 'The first item of a list. It is missing when the list is empty, so `default` can give another value.',
  example: ['{{first app.hosts}}', 'a.svc'],
  apply: ([list]) => takeList(list).at(0),
};

export const last: Helper = {
  usage: 'last LIST',
  does: 'The last item of a list. It is missing when the list is empty, so `default` can give another value.',
  example: ['{{last app.hosts}}', 'b.svc'],
  apply: ([list]) => takeList(list).at(-1),
};
