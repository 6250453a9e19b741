/** Reads DER (ITU-T X.690) as far as certificates need it: Node reads no extensions, and a library costs 50 MiB. */

/** One element of DER: its first byte, and what is in it. */
export interface Element {
  readonly tag: number;
  readonly body: Buffer;
}

export const SEQUENCE = 0x30;
const OID = 0x06;
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
