import { type Helper, wantList } from './helper.ts';

export const first: Helper = {
  usage: 'first LIST',
  does: 'The first item of a list; an empty one has none, which `default` takes.',
  example: ['{{first app.hosts}}', 'a.svc'],
  apply: ([list]) => wantList(list).at(0),
};

export const last: Helper = {
  usage: 'last LIST',
  does: 'The last item of a list; an empty one has none, which `default` takes.',
  example: ['{{last app.hosts}}', 'b.svc'],
  apply: ([list]) => wantList(list).at(-1),
};
