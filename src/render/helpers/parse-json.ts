import { JsonError, parseJson as parse } from '../../base/json.ts';
import { sortedFields } from '../text/sorted-fields.ts';
import { BadArgument, type Helper, isOn, takeText } from './helper.ts';

export const parseJson: Helper = {
  usage: 'parseJson TEXT',
  options: ['sorted'],
  does:
    'The value that a JSON text holds, such as a service-account file in one field: for `each`, `with`, `lookup` and ' +
    'other helpers. Numbers keep their spelling; with `sorted=true` the fields of maps are in the order of their names.',
  example: ['{{#each (parseJson "[1.10, 2]")}}{{this}};{{/each}}', '1.10;2;'],
  apply([text], options) {
    try {
      const value = parse(takeText(text));
      return isOn(options.get('sorted')) ? sortedFields(value) : value;
    } catch (error) {
      if (!(error instanceof JsonError)) throw error;
      throw new BadArgument(`takes JSON, and this is none: ${error.message}`);
    }
  },
};
