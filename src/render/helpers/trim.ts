import { Secret } from '../../base/secret.ts';
import { type Helper, takeText } from './helper.ts';

export const trim: Helper = {
  usage: 'trim TEXT',
  options: ['characters'],
  does: 'The text without white space and line ends at both ends, or with `characters="/."` without these characters.',
  example: ['[{{trim "  shop  "}}]', '[shop]'],
  apply([text], options) {
    const characters = options.get('characters');
    if (characters === undefined) return Secret.text(takeText(text).trim());
    const gone = new Set(takeText(characters));
    const all = [...takeText(text)];
    const start = all.findIndex((char) => !gone.has(char));
    return Secret.text(start === -1 ? '' : all.slice(start, all.findLastIndex((char) => !gone.has(char)) + 1).join(''));
  },
};

export const trimPrefix: Helper = {
  usage: 'trimPrefix TEXT BEGINNING',
  does: 'The text without BEGINNING, if it begins so.',
  example: ['{{trimPrefix db.password "p@"}}', 'ss/word'],
  apply([text, beginning]) {
    const [whole, gone] = [takeText(text), takeText(beginning)];
    return Secret.text(whole.startsWith(gone) ? whole.slice(gone.length) : whole);
  },
};

export const trimSuffix: Helper = {
  usage: 'trimSuffix TEXT END',
  does: 'The text without END, if it ends so.',
  example: ['{{trimSuffix (first app.hosts) ".svc"}}', 'a'],
  apply([text, end]) {
    const [whole, gone] = [takeText(text), takeText(end)];
    return Secret.text(whole.endsWith(gone) ? whole.slice(0, whole.length - gone.length) : whole);
  },
};
