import { StreamDecoder } from '@grpc/grpc-js/build/src/stream-decoder.js';
import { expect, it } from 'vitest';
import '../../../src/deliver/sds/load-grpc.ts';

/** A message of gRPC: no compression, the length, the bytes. */
const framed = (text: string): Buffer => {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(text.length, 1);
  return Buffer.concat([head, Buffer.from(text)]);
};

it('a stream that has got a whole message keeps none of its bytes', () => {
  const decoder = new StreamDecoder(1_000_000);
  const parts = [framed('first').subarray(0, 7), framed('first').subarray(7), framed('second')];
  const got = parts.flatMap((part) => decoder.write(part)).map((message) => message.subarray(5).toString());
  expect(got).toEqual(['first', 'second']);
  const { readPartialMessage, readCompressFlag } = decoder as unknown as Record<string, Buffer | Buffer[]>;
  expect(readPartialMessage).toEqual([]);
  expect((readCompressFlag as Buffer).buffer).not.toBe(parts[2]?.buffer);
});
