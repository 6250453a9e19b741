import { Secret } from '../../base/secret.ts';
import { isList, isSecret } from '../../base/value.ts';
import { type Helper, takeBytes, takeCount, takeText, takeValue } from './helper.ts';

export const size: Helper = {
  usage: 'size VALUE',
  does: 'How many items a list, fields a map, or bytes in UTF-8 a text has.',
  example: ['{{size app.hosts}}', '2'],
  apply([given]) {
    const value = takeValue(given);
    if (isSecret(value)) return Secret.number(String(takeBytes(value).length));
    return Secret.number(String(isList(value) ? value.length : value.size));
  },
};

const MAX_POSITION = 999_999_999;

export const part: Helper = {
  usage: 'part TEXT FROM TO',
  does: 'The characters of a text from the position FROM on, counted from 0, and before TO; fewer when the text is shorter.',
  example: ['{{part app.name 0 2}}', 'sh'],
  apply([text, from, to]) {
    const [start, end] = [takeCount(from, 'FROM', MAX_POSITION), takeCount(to, 'TO', MAX_POSITION)];
    return Secret.text([...takeText(text)].slice(start, end).join(''));
  },
};
