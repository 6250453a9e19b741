import { Secret } from '../../base/secret.ts';
import type { Value } from '../../base/value.ts';
import { writeJson } from '../json-text.ts';
import { BadArgument, type Helper, wantCount } from './helper.ts';

const MOST_INDENT = 10;

export const json: Helper = {
  usage: 'json VALUE',
  options: ['indent'],
  does: 'Any value as JSON on one line, or over several with `indent=2`; numbers as they came, bytes as base64.',
  example: ['{{json app.hosts}}', '["a.svc","b.svc"]'],
  apply([value], options) {
    if (value === undefined) throw new BadArgument('wants a value');
    return Secret.text(writeJson(value, indentOf(options.get('indent'))));
  },
};

const indentOf = (indent: Value | undefined): number =>
  indent === undefined ? 0 : wantCount(indent, 'indent', MOST_INDENT);
