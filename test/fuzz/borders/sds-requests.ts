import { Client, credentials } from '@grpc/grpc-js';
import * as fc from 'fast-check';
import {
  decodeDeltaRequest,
  decodeDiscoveryRequest,
  discoveryRequestOfJson,
} from '../../../src/deliver/sds/discovery.ts';
import { MalformedMessage, Message } from '../../../src/deliver/sds/protobuf.ts';
import { SECRET_TYPE } from '../../../src/deliver/sds/secret-message.ts';
import type { Border } from '../border.ts';
import { damaged, nasty } from '../inputs.ts';
import { sendRaw, startRunningAgent } from '../running-agent.ts';

const SERVICE = '/envoy.service.secret.v3.SecretDiscoveryService';

interface Input {
  readonly how: 'decode' | 'StreamSecrets' | 'DeltaSecrets' | 'FetchSecrets' | 'raw' | 'poll';
  readonly messages: readonly Buffer[];
}

/** What clients of SDS send: protobuf over gRPC, frames that are no gRPC, and polls in JSON. */
export const sdsRequests: Border<Input> = {
  name: 'requests of SDS clients',
  share: 6_000,
  isSystem: true,
  async open() {
    const agent = await startRunningAgent();
    const client = new Client(`unix:${agent.sds}`, credentials.createInsecure());
    const text = fc.oneof(fc.constantFrom('', 'app', 'hidden', SECRET_TYPE, '1'), nasty);
    const sotw = fc
      .record({
        version: text,
        node: text,
        names: fc.array(text, { maxLength: 3 }),
        type: text,
        nonce: text,
        error: text,
      })
      .map(({ version, node, names, type, nonce, error }) =>
        new Message()
          .text(1, version)
          .message(2, new Message().text(1, node))
          .texts(3, names)
          .text(4, type === '' ? SECRET_TYPE : type)
          .text(5, nonce)
          .message(6, error === '' ? undefined : new Message().number(1, 13).text(2, error))
          .encode(),
      );
    const poll = fc.oneof(
      fc.constant('{"resource_names":["app"],"type_url":"x"}'),
      fc.array(text).map((names) => JSON.stringify({ resourceNames: names, versionInfo: '1' })),
    );
    const message = fc.oneof(
      sotw,
      damaged(sotw),
      fc.uint8Array({ maxLength: 40 }).map((one) => Buffer.from(one)),
    );
    return {
      inputs: fc.record({
        how: fc.oneof(
          { weight: 10, arbitrary: fc.constant('decode' as const) },
          {
            weight: 4,
            arbitrary: fc.constantFrom('StreamSecrets' as const, 'DeltaSecrets' as const, 'FetchSecrets' as const),
          },
          { weight: 1, arbitrary: fc.constantFrom('raw' as const, 'poll' as const) },
        ),
        messages: fc.array(fc.oneof({ weight: 5, arbitrary: message }, { weight: 1, arbitrary: damaged(poll) }), {
          minLength: 1,
          maxLength: 3,
        }),
      }),
      async feed({ how, messages }) {
        if (how === 'decode') {
          for (const one of messages) decodeAll(one);
          return [];
        }
        if (how === 'raw') {
          const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0';
          return [await sendRaw(agent.sds, Buffer.concat([Buffer.from(preface), ...messages]), 5), agent.printed()];
        }
        if (how === 'poll') {
          const [body = Buffer.alloc(0)] = messages;
          const head = `POST /v3/discovery:secrets HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n`;
          return [await sendRaw(agent.sds, Buffer.concat([Buffer.from(head), body]), 5), agent.printed()];
        }
        return [await ask(client, how, messages), agent.printed()];
      },
      async [Symbol.asyncDispose]() {
        client.close();
        await agent[Symbol.asyncDispose]();
      },
    };
  },
};

function decodeAll(bytes: Buffer): void {
  for (const decode of [decodeDiscoveryRequest, decodeDeltaRequest]) {
    try {
      decode(bytes);
    } catch (error) {
      if (!(error instanceof MalformedMessage)) throw error;
    }
  }
  discoveryRequestOfJson(bytes.toString());
}

/** Sends messages on one stream, and resolves to what came until its end or for a moment. */
function ask(client: Client, method: string, messages: readonly Buffer[]): Promise<string> {
  return new Promise((resolve) => {
    const same = (bytes: Buffer) => bytes;
    const call = client.makeBidiStreamRequest(`${SERVICE}/${method}`, same, same);
    let seen = '';
    const end = () => {
      clearTimeout(timer);
      call.cancel();
      resolve(seen);
    };
    let timer = setTimeout(end, 500);
    call.on('data', (bytes: Buffer) => {
      seen += bytes.toString('latin1');
      clearTimeout(timer);
      timer = setTimeout(end, 2);
    });
    call.on('error', () => {});
    call.on('status', ({ details }: { details: string }) => {
      seen += details;
      end();
    });
    for (const one of messages) call.write(one);
    call.end();
  });
}
