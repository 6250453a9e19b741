import { Secret } from '../../base/secret.ts';
import { isList, isSecret, type Value } from '../../base/value.ts';
import { type Helper, takeText, takeValue } from './helper.ts';

export const contains: Helper = {
  usage: 'contains WHOLE PART',
  does: 'Whether the text WHOLE has the text PART in it, the list WHOLE an item that is PART, or the map WHOLE a field of that name.',
  example: ['{{#if (contains app.hosts "a.svc")}}there{{/if}}', 'there'],
  apply([whole, part]) {
    const wanted = takeText(part);
    const within = takeValue(whole);
    if (isList(within)) return Secret.boolean(within.some((item) => isText(item, wanted)));
    return Secret.boolean(isSecret(within) ? takeText(within).includes(wanted) : within.get(wanted) !== undefined);
  },
};

export const startsWith: Helper = {
  usage: 'startsWith TEXT BEGINNING',
  does: 'Whether the text begins with BEGINNING.',
  example: ['{{#if (startsWith db.password "p@")}}yes{{/if}}', 'yes'],
  apply: ([text, beginning]) => Secret.boolean(takeText(text).startsWith(takeText(beginning))),
};

export const endsWith: Helper = {
  usage: 'endsWith TEXT END',
  does: 'Whether the text ends with END.',
  example: ['{{#if (endsWith app.name ".svc")}}yes{{else}}no{{/if}}', 'no'],
  apply: ([text, end]) => Secret.boolean(takeText(text).endsWith(takeText(end))),
};

const isText = (item: Value, text: string): boolean =>
  isSecret(item) && item.type !== 'bytes' && item.type !== 'null' && item.exposeText('file') === text;
