import { loadCrypto } from '../../base/node-crypto.ts';
import { Secret } from '../../base/secret.ts';
import type { Value } from '../../base/value.ts';
import { type Helper, takeBytes, takeOneOf } from './helper.ts';

const ENCODINGS = ['hex', 'base64'] as const;

const encodingOf = (encoding: Value | undefined) =>
  encoding === undefined ? 'hex' : takeOneOf(encoding, 'encoding', ENCODINGS);

export const sha256: Helper = {
  usage: 'sha256 VALUE',
  options: ['encoding'],
  does: 'SHA-256 of a text (as UTF-8) or of bytes, in lower-case hexadecimal, or in base64 with `encoding="base64"`.',
  example: ['{{sha256 "shop"}}', '8d9001d32c6a703d95921a77115050f33dd823d3f1730bd35215dcbecad6dc20'],
  checks: { encoding: encodingOf },
  apply([value], options) {
    const encoding = encodingOf(options.get('encoding'));
    return Secret.text(loadCrypto().createHash('sha256').update(takeBytes(value)).digest(encoding));
  },
};

export const sha1: Helper = {
  usage: 'sha1 VALUE',
  does: 'SHA-1 of a text or of bytes in lower-case hexadecimal, for programs that ask for it.',
  example: ['{{sha1 "shop"}}', '5042d146667518a1a5017644946b8650aafca44c'],
  apply: ([value]) => Secret.text(loadCrypto().createHash('sha1').update(takeBytes(value)).digest('hex')),
};

export const md5: Helper = {
  usage: 'md5 VALUE',
  does: 'MD5 of a text or of bytes in lower-case hexadecimal, for programs that ask for it, such as older PostgreSQL.',
  example: ['{{md5 "shop"}}', 'fb54f3c5992b96d001bb16e8e92d968d'],
  apply: ([value]) => Secret.text(loadCrypto().createHash('md5').update(takeBytes(value)).digest('hex')),
};

export const hmac: Helper = {
  usage: 'hmac KEY VALUE',
  options: ['encoding'],
  does: 'HMAC-SHA-256 of a text or of bytes, in the encodings of `sha256`.',
  example: ['{{hmac db.password "shop" encoding="base64"}}', 's2HNiC9hixq5hcbrvJdeqfc4mkKOSkqIoT2WScjzU5U='],
  checks: { encoding: encodingOf },
  apply([key, value], options) {
    const encoding = encodingOf(options.get('encoding'));
    return Secret.text(loadCrypto().createHmac('sha256', takeBytes(key)).update(takeBytes(value)).digest(encoding));
  },
};
