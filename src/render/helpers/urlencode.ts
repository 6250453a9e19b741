import { Secret } from '../../base/secret.ts';
import { BadArgument, type Helper, wantText } from './helper.ts';

const LEFT_BY_ENCODE_URI_COMPONENT = /[!'()*]/g;

export const urlencode: Helper = {
  usage: 'urlencode TEXT',
  does: 'Percent-encodes everything but letters, digits and `-._~` (RFC 3986), for any part of a URL.',
  example: [
    'postgres://{{urlencode db.username}}:{{urlencode db.password}}@db/shop',
    'postgres://shop:p%40ss%2Fword@db/shop',
  ],
  apply([text]) {
    const plain = wantText(text);
    if (!plain.isWellFormed()) throw new BadArgument('wants text without half a surrogate pair');
    const encoded = encodeURIComponent(plain);
    return Secret.text(
      encoded.replace(LEFT_BY_ENCODE_URI_COMPONENT, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`),
    );
  },
};
