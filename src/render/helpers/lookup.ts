import { stepInto } from '../template/outcome.ts';
import { BadArgument, type Helper, wantText } from './helper.ts';

export const lookup: Helper = {
  usage: 'lookup VALUE NAME',
  does: 'The field of a map, or the item of a list, whose name or position is itself a value.',
  example: ['{{lookup app.ports "http"}}', '8080'],
  apply([value, name]) {
    if (value === undefined) throw new BadArgument('wants a map or a list first');
    return stepInto(value, wantText(name));
  },
};
