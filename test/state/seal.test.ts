import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type SealKey, seal, sealKeyOf, unseal, wrappedKeyIn } from '../../src/state/seal.ts';
import { numbers } from '../lease/lease.helpers.ts';

const keyOf = (text: string): SealKey => sealKeyOf(Buffer.from(text)) as SealKey;
const key = keyOf('k'.repeat(32));
const TEXT = Buffer.from('{"password":"c4n4ry"}');

describe('a sealed state', () => {
  it('gives back what was sealed, and holds none of it in the open', () => {
    const sealed = seal(TEXT, key);
    expect(unseal(sealed, key)).toEqual(TEXT);
    expect(sealed.toString('latin1')).not.toContain('c4n4ry');
  });

  it('differs each time, since its nonce does', () => {
    const nonces = Array.from({ length: 100 }, () => seal(TEXT, key).subarray(17, 29).toString('hex'));
    expect(new Set(nonces).size).toBe(100);
  });

  it('cut short at any byte, or longer, is not opened', () => {
    const sealed = seal(TEXT, key);
    for (let length = 0; length < sealed.length; length++) {
      expect(unseal(sealed.subarray(0, length), key), `${length} bytes`).toHaveProperty('why');
    }
    expect(unseal(Buffer.concat([sealed, Buffer.alloc(1)]), key)).toEqual({ why: 'is damaged' });
  });

  it('with any bit flipped is not opened', () => {
    const sealed = seal(TEXT, key);
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const flipped = Buffer.from(sealed);
      flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(unseal(flipped, key), `bit ${bit}`).toHaveProperty('why');
    }
  });

  it.each([
    ['another key', seal(TEXT, keyOf('K'.repeat(32))), 'has another key'],
    ['a later version', withByte(seal(TEXT, key), 8, 3), 'is of a later version'],
    ['the version with a wrapped key, without one', withByte(withByte(seal(TEXT, key), 8, 2), 29, 0xff), 'is damaged'],
    ['version 0', withByte(seal(TEXT, key), 8, 0), 'is damaged'],
    [
      'another file',
      Buffer.from('{"version":1,"secrets":[],"more":"than sixty bytes, and none of them is sealed"}'),
      'is no state of Pannier',
    ],
    ['nothing', Buffer.alloc(0), 'is cut short'],
  ])('of %s is refused as such', (_, file, why) => {
    expect(unseal(file, key)).toEqual({ why });
  });

  it('opens to what it was made of, for any bytes and keys', () => {
    const bytes = randomOf(1);
    for (let round = 0; round < 200; round++) {
      const made = sealKeyOf(bytes(34 + round)) as SealKey;
      const text = bytes(round * 7);
      expect(unseal(seal(text, made), made)).toEqual(text);
    }
  });

  it('no bytes make it throw', () => {
    const bytes = randomOf(2);
    const head = seal(TEXT, key).subarray(0, 17);
    for (let round = 0; round < 2_000; round++) {
      const some = bytes(round % 200);
      expect(unseal(some, key)).toHaveProperty('why');
      expect(unseal(Buffer.concat([head, some]), key)).toHaveProperty('why');
    }
  });
});

describe('a sealed state with a wrapped key', () => {
  const wrapped = 'vault:v1:c2VhbGVk';
  const sealed = seal(TEXT, { ...key, wrapped });

  it('gives back the wrapped key before it is opened, and opens with the key', () => {
    expect(wrappedKeyIn(sealed)).toEqual({ wrapped });
    expect(unseal(sealed, key)).toEqual(TEXT);
  });

  it('cut short at any byte, or with any bit flipped, is not opened and throws nothing', () => {
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const flipped = Buffer.from(sealed);
      flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(unseal(flipped, key), `bit ${bit}`).toHaveProperty('why');
      expect(unseal(sealed.subarray(0, bit >> 3), key), `${bit >> 3} bytes`).toHaveProperty('why');
      expect(() => [wrappedKeyIn(flipped), wrappedKeyIn(sealed.subarray(0, bit >> 3))]).not.toThrow();
    }
  });

  it('is of another key for who has a key of its own', () => {
    expect(wrappedKeyIn(seal(TEXT, key))).toEqual({ why: 'has another key' });
    expect(unseal(sealed, keyOf('K'.repeat(32)))).toEqual({ why: 'has another key' });
  });
});

describe('a key', () => {
  it.each([
    ['with a final newline', `${'k'.repeat(32)}\n`],
    ['with a final CRLF', `${'k'.repeat(32)}\r\n`],
  ])('%s is the key without it', (_, text) => {
    expect(keyOf(text)).toEqual(key);
  });

  it.each([0, 31])('of %i bytes is too short', (length) => {
    expect(sealKeyOf(randomBytes(length).map((byte) => byte | 0x80))).toBeUndefined();
  });
});

function withByte(file: Buffer, at: number, byte: number): Buffer {
  file[at] = byte;
  return file;
}

/** Makes bytes that look random and are the same in each run. */
function randomOf(seed: number): (length: number) => Buffer {
  const next = numbers(seed);
  return (length) => Buffer.from(Array.from({ length }, () => Math.floor(next() * 256)));
}
