/**
 * Messages of Fluentd's Forward protocol with more than one line, as other senders than Docker make them:
 * https://github.com/fluent/fluentd/wiki/Forward-Protocol-Specification-v1. Of msgpack they need texts, small numbers,
 * short lists and maps, and bytes: too little for a library.
 */
import { gzipSync } from 'node:zlib';

/** A line, and when its sender read it. */
export interface ForwardedLine {
  readonly log: string;
  readonly wallMs: number;
}

/** Mode Forward: the lines are a list. */
export const forward = (tag: string, lines: readonly ForwardedLine[]): Buffer =>
  pack([tag, lines.map(entry), { size: lines.length }]);

/** Mode PackedForward: the lines are bytes, in which each follows the other. */
export const packedForward = (tag: string, lines: readonly ForwardedLine[]): Buffer =>
  pack([tag, Buffer.concat(lines.map((line) => pack(entry(line)))), { size: lines.length }]);

/** Mode CompressedPackedForward. */
export const compressedForward = (tag: string, lines: readonly ForwardedLine[]): Buffer =>
  pack([
    tag,
    gzipSync(Buffer.concat(lines.map((line) => pack(entry(line))))),
    { size: lines.length, compressed: 'gzip' },
  ]);

const entry = ({ log, wallMs }: ForwardedLine) => [eventTime(wallMs), { log }];

/** What is packed already. */
class Packed {
  readonly bytes: Buffer;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }
}

/** An extension of type 0: seconds and nanoseconds. */
function eventTime(wallMs: number): Packed {
  const bytes = Buffer.alloc(10);
  bytes.writeUInt16BE(0xd700);
  bytes.writeUInt32BE(Math.floor(wallMs / 1000), 2);
  bytes.writeUInt32BE((wallMs % 1000) * 1e6, 6);
  return new Packed(bytes);
}

function pack(value: unknown): Buffer {
  if (value instanceof Packed) return value.bytes;
  if (Buffer.isBuffer(value)) return Buffer.concat([head(0xc6, value.length), value]);
  if (typeof value === 'string') return Buffer.concat([head(0xdb, Buffer.byteLength(value)), Buffer.from(value)]);
  if (typeof value === 'number') return head(0xce, value);
  if (Array.isArray(value)) {
    // The collector reads the head of a message from one byte, as a short list has it.
    const isShort = value.length < 16;
    const ofList = isShort ? Buffer.of(0x90 | value.length) : head(0xdd, value.length);
    return Buffer.concat([ofList, ...value.map(pack)]);
  }
  const pairs = Object.entries(value as object);
  return Buffer.concat([head(0xdf, pairs.length), ...pairs.flat().map(pack)]);
}

/** A kind of value, and its number or length in four bytes. */
function head(kind: number, length: number): Buffer {
  const bytes = Buffer.alloc(5);
  bytes.writeUInt8(kind);
  bytes.writeUInt32BE(length, 1);
  return bytes;
}
