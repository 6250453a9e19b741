import { decrypt, encrypt, NONCE_BYTES, TAG_BYTES } from '../base/aes-gcm.ts';
import { loadCrypto } from '../base/node-crypto.ts';

/**
 * A sealed file: a header, the ciphertext, and the tag of AES-256-GCM. The header is authenticated with the text.
 *
 * | bytes | what |
 * | --- | --- |
 * | 0–7 | `PANNIER` and a zero byte |
 * | 8 | version of the format: 1, or 2 when the header has the wrapped key |
 * | 9–16 | id of the key, which tells a wrong key from a damaged file |
 * | 17–28 | nonce, random for each file |
 * | 29–30 | of version 2: the length of the wrapped key |
 * | 31– | of version 2: the key, as a backend encrypted it |
 * | then | ciphertext |
 * | the last 16 | tag |
 */
const MAGIC = Buffer.from('PANNIER\0', 'latin1');
const VERSION = 1;
const VERSION_WRAPPED = 2;
const KEY_ID_AT = MAGIC.length + 1;
const NONCE_AT = KEY_ID_AT + 8;
const HEADER = NONCE_AT + NONCE_BYTES;
const MAX_WRAPPED_BYTES = 4096;

/** A key is made of at least this many bytes. */
export const MIN_KEY_BYTES = 32;

/** A key for sealing, and the id that files name it by. */
export interface SealKey {
  readonly bytes: Buffer;
  readonly id: Buffer;
  /** The key as a backend encrypted it; it goes into the header. Absent: the key comes from elsewhere. */
  readonly wrapped?: string;
}

/** Why a file cannot be opened, in words that hold nothing of it. */
export interface Unopened {
  readonly why: 'is no state of Pannier' | 'is cut short' | 'is of a later version' | 'has another key' | 'is damaged';
}

/** Makes the key of what a key file holds. Undefined when that is too short. One newline at its end does not count. */
export function sealKeyOf(material: Uint8Array): SealKey | undefined {
  const { hkdfSync } = loadCrypto();
  const trimmed = withoutNewline(Buffer.from(material));
  if (trimmed.length < MIN_KEY_BYTES) return undefined;
  const derive = (info: string, length: number) =>
    Buffer.from(hkdfSync('sha256', trimmed, Buffer.alloc(0), `pannier state ${info}`, length));
  return { bytes: derive('key', 32), id: derive('key id', 8) };
}

export function seal(text: Uint8Array, { bytes, id, wrapped }: SealKey): Buffer {
  const nonce = loadCrypto().randomBytes(NONCE_BYTES);
  const version = Buffer.from([wrapped === undefined ? VERSION : VERSION_WRAPPED]);
  const header = Buffer.concat([MAGIC, version, id, nonce, ...(wrapped === undefined ? [] : headerOf(wrapped))]);
  return Buffer.concat([header, encrypt(text, { key: bytes, nonce, bound: header })]);
}

/** Never throws. */
export function unseal(file: Buffer, { bytes, id }: SealKey): Buffer | Unopened {
  const read = readHeader(file);
  if ('why' in read) return read;
  if (!file.subarray(KEY_ID_AT, NONCE_AT).equals(id)) return { why: 'has another key' };
  const nonce = file.subarray(NONCE_AT, HEADER);
  try {
    return decrypt(file.subarray(read.endsAt), { key: bytes, nonce, bound: file.subarray(0, read.endsAt) });
  } catch {
    return { why: 'is damaged' };
  }
}

/** The wrapped key in the header of a sealed file, as long as nobody has authenticated it. Never throws. */
export function wrappedKeyIn(file: Buffer): { readonly wrapped: string } | Unopened {
  const read = readHeader(file);
  if ('why' in read) return read;
  return read.wrapped === undefined ? { why: 'has another key' } : { wrapped: read.wrapped };
}

interface Header {
  readonly endsAt: number;
  readonly wrapped?: string;
}

function readHeader(file: Buffer): Header | Unopened {
  if (!file.subarray(0, MAGIC.length).equals(MAGIC.subarray(0, file.length))) return { why: 'is no state of Pannier' };
  const version = file[MAGIC.length];
  if (version === undefined || file.length < HEADER + TAG_BYTES) return { why: 'is cut short' };
  if (version === VERSION) return { endsAt: HEADER };
  if (version !== VERSION_WRAPPED) return { why: version > VERSION_WRAPPED ? 'is of a later version' : 'is damaged' };
  const length = file.readUInt16BE(HEADER);
  const endsAt = HEADER + 2 + length;
  if (length > MAX_WRAPPED_BYTES) return { why: 'is damaged' };
  if (file.length < endsAt + TAG_BYTES) return { why: 'is cut short' };
  return { endsAt, wrapped: file.toString('latin1', HEADER + 2, endsAt) };
}

function headerOf(wrapped: string): readonly Buffer[] {
  const text = Buffer.from(wrapped, 'latin1');
  if (text.length > MAX_WRAPPED_BYTES) throw new TypeError('the wrapped key is too long for the header');
  const length = Buffer.alloc(2);
  length.writeUInt16BE(text.length);
  return [length, text];
}

function withoutNewline(bytes: Buffer): Buffer {
  const end = bytes.at(-1) === 0x0a ? (bytes.at(-2) === 0x0d ? -2 : -1) : bytes.length;
  return bytes.subarray(0, end);
}
