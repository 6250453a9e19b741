/** The few DER (ITU-T X.690) encodings that a certificate needs. */

/** One element with any tag byte; lengths up to 64 KiB. */
export function tagged(tag: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const { length } = body;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), body]);
}

export const sequence = (...parts: readonly Buffer[]): Buffer => tagged(0x30, ...parts);
export const set = (...parts: readonly Buffer[]): Buffer => tagged(0x31, ...parts);
export const octets = (value: Buffer): Buffer => tagged(0x04, value);
export const text = (value: string): Buffer => tagged(0x0c, Buffer.from(value));
export const flag = (value: boolean): Buffer => tagged(0x01, Buffer.from([value ? 0xff : 0]));
export const explicit = (number: number, value: Buffer): Buffer => tagged(0xa0 + number, value);

/** A positive integer, big-endian; the caller keeps its first bit clear. */
export const integer = (value: Buffer): Buffer => tagged(0x02, value);

/** A bit string whose last `unused` bits do not count. */
export const bits = (value: Buffer, unused: number): Buffer => tagged(0x03, Buffer.from([unused]), value);

export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const arc of rest) {
    const digits = [arc & 0x7f];
    for (let high = Math.floor(arc / 128); high > 0; high = Math.floor(high / 128))
      digits.unshift((high & 0x7f) | 0x80);
    bytes.push(...digits);
  }
  return tagged(0x06, Buffer.from(bytes));
}

/** Whole seconds. UTCTime before 2050, GeneralizedTime from then on, as RFC 5280 demands. */
export function time(date: Date): Buffer {
  const digits = `${date.toISOString().replace(/\D/g, '').slice(0, 14)}Z`;
  return date.getUTCFullYear() < 2050 ? tagged(0x17, Buffer.from(digits.slice(2))) : tagged(0x18, Buffer.from(digits));
}
