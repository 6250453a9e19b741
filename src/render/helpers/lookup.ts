import { stepInto } from '../template/outcome.ts';
import { BadArgument, type Helper, takeText } from './helper.ts';

export const lookup: Helper = {
  usage: 'lookup VALUE NAME',
  does: 'The field of a map, or the item of a list, whose name or position, from 0 on, is given by a value.',
  example: ['{{lookup app.ports "http"}}', '8080'],
  apply([value, name]) {
    if (value === undefined) throw new BadArgument('takes a map or a list as its first argument');
    return stepInto(value, takeText(name));
  },
};
