import { JsonError, parseJson as parse } from '../../base/json.ts';
import { BadArgument, type Helper, takeText } from './helper.ts';

export const parseJson: Helper = {
  usage: 'parseJson TEXT',
  does:
    'The value that a JSON text holds, such as a service-account file in one field: for `each`, `with`, `lookup` and ' +
    'other helpers. Numbers keep their spelling.',
  example: ['{{#each (parseJson "[1.10, 2]")}}{{this}};{{/each}}', '1.10;2;'],
  apply([text]) {
    try {
      return parse(takeText(text));
    } catch (error) {
      if (!(error instanceof JsonError)) throw error;
      throw new BadArgument(`takes JSON, and this is none: ${error.message}`);
    }
  },
};
