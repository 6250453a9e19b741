import { Secret } from '../../base/secret.ts';
import { isFields, isSecret, type Value } from '../../base/value.ts';
import { valueKind } from '../template/outcome.ts';
import { writeJson } from '../text/json.ts';
import { BadArgument, type Helper, takeNonEmptyText, takeText } from './helper.ts';

const separatorOf = (value: Value | undefined) => (value === undefined ? '=' : takeNonEmptyText(value, 'separator'));
const betweenOf = (value: Value | undefined) => (value === undefined ? '\n' : takeNonEmptyText(value, 'between'));

export const toKeyValue: Helper = {
  usage: 'toKeyValue MAP',
  options: ['separator', 'between'],
  does:
    'A line `NAME=VALUE` for each field of a map. Lists and maps in it become JSON on one line, `null` becomes nothing. ' +
    '`separator` replaces `=`, `between` replaces the line end between two lines. A name or value that holds one of ' +
    'these where it would be misread is an error.',
  example: ['{{toKeyValue app.ports separator=": " between=", "}}', 'http: 8080, admin: 9090'],
  checks: { separator: separatorOf, between: betweenOf },
  apply([map], options) {
    if (!isFields(map)) throw new BadArgument(`takes a map, not ${map === undefined ? 'nothing' : valueKind(map)}`);
    const separator = separatorOf(options.get('separator'));
    const between = betweenOf(options.get('between'));
    const lines = [...map].map(([name, value]) => {
      const text = textFor(value);
      if (name.includes(separator)) throw new BadArgument('takes names without the separator in them');
      if (name.includes(between) || text.includes(between)) {
        throw new BadArgument('takes names and values without the text between two lines in them');
      }
      return `${name}${separator}${text}`;
    });
    return Secret.text(lines.join(between));
  },
};

function textFor(value: Value): string {
  if (!isSecret(value)) return writeJson(value, 0);
  return value.type === 'null' ? '' : takeText(value);
}
