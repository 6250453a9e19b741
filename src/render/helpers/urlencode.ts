import { Secret } from '../../base/secret.ts';
import { encodeUrlPart } from '../text/quoting.ts';
import { BadArgument, type Helper, wantText } from './helper.ts';

export const urlencode: Helper = {
  usage: 'urlencode TEXT',
  does: 'Percent-encodes everything but letters, digits and `-._~` (RFC 3986), for any part of a URL.',
  example: [
    'postgres://{{urlencode db.username}}:{{urlencode db.password}}@db/shop',
    'postgres://shop:p%40ss%2Fword@db/shop',
  ],
  apply([text]) {
    const encoded = encodeUrlPart(wantText(text));
    if (encoded === undefined) throw new BadArgument('wants text without half a surrogate pair');
    return Secret.text(encoded);
  },
};
