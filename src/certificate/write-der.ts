/** Writes DER (ITU-T X.690): the elements that certificate requests, PKCS#8 and PKCS#12 are made of. */

/** One element: its tag, the length of its content, the content. */
export function tagged(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.of(tag, ...lengthOf(content.length)), content]);
}

/** Below 128 the length itself, from there on the number of its bytes and the bytes (8.1.3). */
function lengthOf(length: number): readonly number[] {
  if (length < 0x80) return [length];
  const bytes = bigEndian(length);
  return [0x80 | bytes.length, ...bytes];
}

function bigEndian(number: number): readonly number[] {
  const bytes: number[] = [];
  for (let left = number; left > 0; left = Math.floor(left / 0x100)) bytes.unshift(left % 0x100);
  return bytes;
}

export const sequence = (...parts: readonly Uint8Array[]): Buffer => tagged(0x30, ...parts);
export const octets = (...parts: readonly Uint8Array[]): Buffer => tagged(0x04, ...parts);
export const bits = (bytes: Uint8Array): Buffer => tagged(0x03, Buffer.of(0), bytes);
export const utf8 = (text: string): Buffer => tagged(0x0c, Buffer.from(text));
export const explicit = (number: number, ...parts: readonly Uint8Array[]): Buffer => tagged(0xa0 + number, ...parts);
export const NULL = tagged(0x05);

/** A set of values of one type, which DER puts in the order of their bytes (11.6). */
export const setOf = (...parts: readonly Buffer[]): Buffer => tagged(0x31, ...parts.toSorted(Buffer.compare));

/** A whole number from 0 on. Its first bit is its sign, so a zero byte comes before a first bit that is set. */
export function integer(number: number): Buffer {
  const [first = 0, ...rest] = bigEndian(number);
  return tagged(0x02, Buffer.of(...(first < 0x80 ? [] : [0]), first, ...rest));
}

export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...arcs] = dotted.split('.').map(Number);
  return tagged(0x06, Buffer.from([first * 40 + second, ...arcs].flatMap(base128)));
}

/** Seven bits a byte, of which all but the last have the first bit set (8.19.2). */
function base128(arc: number): readonly number[] {
  const bytes = [arc % 0x80];
  for (let left = Math.floor(arc / 0x80); left > 0; left = Math.floor(left / 0x80)) bytes.unshift(0x80 | (left % 0x80));
  return bytes;
}

/** The bytes of a BMPString: UTF-16, big-endian. */
export function utf16(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf16le');
  return bytes.swap16();
}

export const bmpString = (text: string): Buffer => tagged(0x1e, utf16(text));
