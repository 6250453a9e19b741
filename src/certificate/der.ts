/**
 * The part of DER (ITU-T X.690) that certificates and certificate requests need. Node reads no extensions and makes no
 * requests; a library for both costs 50 MiB of memory.
 */

/** One element of DER: its first byte, and what is in it. */
export interface Element {
  readonly tag: number;
  readonly body: Buffer;
}

export const SEQUENCE = 0x30;
const SET = 0x31;
const OID = 0x06;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
export const OCTET_STRING = 0x04;
export const UTF8_STRING = 0x0c;

/** The elements that follow one another in `bytes`. @throws RangeError when the bytes are not DER. */
export function elements(bytes: Buffer): readonly Element[] {
  const found: Element[] = [];
  let at = 0;
  while (at < bytes.length) {
    const tag = bytes[at] as number;
    const first = bytes.at(at + 1) ?? 0x80;
    const count = first < 0x80 ? 0 : first & 0x7f;
    // Neither an indefinite length nor one of more than 4 bytes occurs in a certificate.
    if ((first >= 0x80 && (count === 0 || count > 4)) || (tag & 0x1f) === 0x1f) throw new RangeError('not DER');
    const start = at + 2 + count;
    const length = count === 0 ? first : bytes.readUIntBE(at + 2, count);
    if (start + length > bytes.length) throw new RangeError('not DER');
    found.push({ tag, body: bytes.subarray(start, start + length) });
    at = start + length;
  }
  return found;
}

/** The elements in an element that holds others. @throws RangeError */
export const within = ({ body }: Element): readonly Element[] => elements(body);

/** An object identifier in dotted form; the empty text for any other element. */
export function readOid({ tag, body }: Element): string {
  if (tag !== OID) return '';
  const arcs: number[] = [];
  let arc = 0;
  for (const byte of body) {
    arc = arc * 128 + (byte & 0x7f);
    if (byte >= 0x80) continue;
    if (arcs.length === 0) {
      const first = Math.min(2, Math.floor(arc / 40));
      arcs.push(first, arc - first * 40);
    } else arcs.push(arc);
    arc = 0;
  }
  return arcs.join('.');
}

export function tagged(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  if (body.length < 0x80) return Buffer.concat([Buffer.from([tag, body.length]), body]);
  const size = Buffer.alloc(4);
  size.writeUInt32BE(body.length);
  const digits = size.subarray(size.findIndex((byte) => byte !== 0));
  return Buffer.concat([Buffer.from([tag, 0x80 + digits.length]), digits, body]);
}

export const sequence = (...parts: readonly Uint8Array[]): Buffer => tagged(SEQUENCE, ...parts);
export const set = (...parts: readonly Uint8Array[]): Buffer => tagged(SET, ...parts);
export const octets = (...parts: readonly Uint8Array[]): Buffer => tagged(OCTET_STRING, ...parts);
export const utf8 = (text: string): Buffer => tagged(UTF8_STRING, Buffer.from(text));
export const bits = (bytes: Uint8Array): Buffer => tagged(BIT_STRING, Buffer.from([0]), bytes);
/** A number below 128. */
export const integer = (small: number): Buffer => tagged(INTEGER, Buffer.from([small]));

/** The dotted form is checked by the configuration. */
export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second, ...rest].flatMap((arc) => {
    const digits = [arc & 0x7f];
    for (let high = Math.floor(arc / 128); high > 0; high = Math.floor(high / 128))
      digits.unshift((high & 0x7f) | 0x80);
    return digits;
  });
  return tagged(OID, Buffer.from(bytes));
}
