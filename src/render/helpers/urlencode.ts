import { Secret } from '../../base/secret.ts';
import { encodeUrlPart } from '../text/quoting.ts';
import { BadArgument, type Helper, takeText } from './helper.ts';

export const urlencode: Helper = {
  usage: 'urlencode TEXT',
  does: 'The text with everything but letters, digits and `-._~` percent-encoded (RFC 3986), for any part of a URL.',
  example: [
    'postgres://{{urlencode db.username}}:{{urlencode db.password}}@db/shop',
    'postgres://shop:p%40ss%2Fword@db/shop',
  ],
  apply([text]) {
    const encoded = encodeUrlPart(takeText(text));
    if (encoded === undefined) throw new BadArgument('takes text without half a surrogate pair');
    return Secret.text(encoded);
  },
};
