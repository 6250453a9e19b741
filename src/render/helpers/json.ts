import { Secret } from '../../base/secret.ts';
import type { Value } from '../../base/value.ts';
import { writeJson } from '../text/json.ts';
import { type Helper, takeCount, takeValue } from './helper.ts';

const MAX_INDENT = 10;

const indentOf = (indent: Value | undefined): number =>
  indent === undefined ? 0 : takeCount(indent, 'indent', MAX_INDENT);

export const json: Helper = {
  usage: 'json VALUE',
  options: ['indent'],
  does: 'Any value as JSON on one line, or on several lines with `indent=2`. Numbers keep their spelling, bytes become base64.',
  example: ['{{json app.hosts}}', '["a.svc","b.svc"]'],
  checks: { indent: indentOf },
  apply: ([value], options) => Secret.text(writeJson(takeValue(value), indentOf(options.get('indent')))),
};
