import { Secret } from '../../base/secret.ts';
import { BadArgument, type Helper, isOn, takeBytes, takeText } from './helper.ts';

const BASE64 = /^(?:[A-Za-z0-9+/]*|[A-Za-z0-9_-]*)={0,2}$/;

export const base64encode: Helper = {
  usage: 'base64encode VALUE',
  options: ['url'],
  does: 'The bytes of a text, or bytes that are not UTF-8, in base64 on one line; with `url=true` in the alphabet for URLs.',
  example: ['{{base64encode "shop"}}', 'c2hvcA=='],
  apply([value], options) {
    const text = Buffer.from(takeBytes(value)).toString('base64');
    return Secret.text(isOn(options.get('url')) ? text.replaceAll('+', '-').replaceAll('/', '_') : text);
  },
};

export const base64decode: Helper = {
  usage: 'base64decode TEXT',
  does:
    'What base64 TEXT encodes, in either alphabet, with or without padding and white space. When that is not UTF-8, ' +
    'the call must be the whole template, and the file gets exactly these bytes.',
  example: ['{{base64decode "c2hvcA=="}}', 'shop'],
  apply([text]) {
    const compact = takeText(text).replace(/[ \t\r\n]+/g, '');
    const digits = compact.replace(/=+$/, '').length;
    if (!BASE64.test(compact) || digits % 4 === 1) throw new BadArgument('takes base64');
    return Secret.bytes(Buffer.from(compact, 'base64'));
  },
};
