import { Secret } from '../../base/secret.ts';
import { isFields, isSecret, type Value } from '../../base/value.ts';
import { valueKind } from '../template/outcome.ts';
import { writeJson } from '../text/json.ts';
import { BadArgument, type Helper, wantSomeText, wantText } from './helper.ts';

const separatorOf = (value: Value | undefined) => (value === undefined ? '=' : wantSomeText(value, 'separator'));
const betweenOf = (value: Value | undefined) => (value === undefined ? '\n' : wantSomeText(value, 'between'));

export const toKeyValue: Helper = {
  usage: 'toKeyValue MAP',
  options: ['separator', 'between'],
  does:
    'A line `NAME=VALUE` for each field of a map, lists and maps in it as JSON on one line, `null` as nothing. ' +
    '`separator` stands for `=`, `between` for the line end between two. What these would cut in the wrong place is ' +
    'refused.',
  example: ['{{toKeyValue app.ports separator=": " between=", "}}', 'http: 8080, admin: 9090'],
  checks: { separator: separatorOf, between: betweenOf },
  apply([map], options) {
    if (!isFields(map)) throw new BadArgument(`wants a map, not ${map === undefined ? 'nothing' : valueKind(map)}`);
    const separator = separatorOf(options.get('separator'));
    const between = betweenOf(options.get('between'));
    const lines = [...map].map(([name, value]) => {
      const text = textFor(value);
      if (name.includes(separator)) throw new BadArgument('wants names that do not hold the separator');
      if (name.includes(between) || text.includes(between)) {
        throw new BadArgument('wants names and values that do not hold what stands between two lines');
      }
      return `${name}${separator}${text}`;
    });
    return Secret.text(lines.join(between));
  },
};

function textFor(value: Value): string {
  if (!isSecret(value)) return writeJson(value, 0);
  return value.type === 'null' ? '' : wantText(value);
}
