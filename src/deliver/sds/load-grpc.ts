import * as grpc from '@grpc/grpc-js';
import { StreamDecoder } from '@grpc/grpc-js/build/src/stream-decoder.js';

/** What of a decoder is private to the library; the version is pinned. */
interface DecoderState {
  /** 0: between two messages. */
  readState: number;
  readCompressFlag: Buffer;
  readPartialMessage: Buffer[];
}

const NO_FLAG = Buffer.alloc(1);

/*
 * A decoder keeps the bytes of the last message until the next one comes, which on these streams may be never. A
 * request of Envoy has 50 KiB, with all that it says about itself, so that ten thousand streams held 800 MiB.
 */
const { write } = StreamDecoder.prototype;
StreamDecoder.prototype.write = function (data: Buffer): Buffer[] {
  const messages = write.call(this, data);
  const state = this as unknown as DecoderState;
  if (state.readState === 0) {
    state.readPartialMessage = [];
    state.readCompressFlag = NO_FLAG;
  }
  return messages;
};

// The library writes to standard error what variables such as GRPC_TRACE ask for: headers, and so tokens.
const silent = () => {};
grpc.setLogger({ error: silent, info: silent, debug: silent });

export { grpc };
export type Grpc = typeof grpc;
