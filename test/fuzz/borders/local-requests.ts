import * as fc from 'fast-check';
import { type Border, CANARY } from '../border.ts';
import { damaged, nasty } from '../inputs.ts';
import { sendRaw, startRunningAgent } from '../running-agent.ts';

const METHODS = [
  'GET',
  'GET',
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'LIST',
  'OPTIONS',
  'TRACE',
  'CONNECT',
  'PRI',
  'get',
];

const PATHS = [
  '/v1/secrets',
  '/v1/secrets/app',
  '/v1/secrets/hidden/password',
  '/v1/watch?secret=hidden',
  '/v1/status',
  '/v1/openapi.json',
  '/v1/outputs/o/rollback',
  '/v1/secrets/hidden/refresh',
  '/secretsmanager/get?secretId=hidden',
  '/v1/hidden',
  '/v1/auth/token/lookup-self',
  '/v1/auth/token/revoke-self',
  '/v1/auth/token/renew-self',
  '/v1/secret/app',
  '/v1/sys/internal/ui/mounts/secret/app',
  '/v1/sys/health',
  '/metrics',
  '/readyz',
  '/livez',
  '/readyz?verbose',
  '/startupz',
  '*',
  'http://evil.example/v1/secrets',
];

const HEADERS = [
  'Host: localhost',
  'Host: evil.example',
  'Content-Length: 5',
  'Content-Length: 99999999999',
  'Content-Length: -1',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: gzip',
  'Expect: 100-continue',
  'Upgrade: h2c\r\nConnection: Upgrade',
  'Connection: close',
  'X-Vault-Token: x',
  'X-Vault-Wrap-TTL: 60',
  'X-Vault-Namespace: ../x',
  'X-Vault-Request: true',
  'X-Pannier-Token: x',
  'X-Aws-Parameters-Secrets-Token: x',
  'X-Forwarded-For: 1',
  'If-None-Match: *',
  'Accept: text/event-stream',
  'Last-Event-ID: 0',
  'Range: bytes=0-1',
  ': empty',
  ' folded',
];

/** The login of the agent. */
const TOKEN = `${CANARY}-token`;

interface Input {
  readonly to: 'api' | 'admin' | 'proxy';
  readonly bytes: Buffer;
}

/** Bytes that the application beside the agent, or another container, writes to a socket of the agent. */
export const localRequests: Border<Input> = {
  name: 'requests to local sockets',
  share: 5_000,
  isSystem: true,
  async open() {
    const agent = await startRunningAgent();
    const path = fc.tuple(
      fc.constantFrom(...PATHS),
      fc.oneof({ weight: 2, arbitrary: fc.constant('') }, { weight: 1, arbitrary: nasty }),
    );
    const request = fc
      .record({
        method: fc.constantFrom(...METHODS),
        path: path.map(([one, more]) => one + more),
        version: fc.constantFrom('HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0', 'HTTP/2.0', ''),
        headers: fc.array(fc.oneof(fc.constantFrom(...HEADERS), nasty), { maxLength: 4 }),
        body: fc.oneof(fc.constantFrom('', '', 'hello', '{"a":1}', '5\r\nhello\r\n0\r\n\r\n', 'ffffffff\r\n'), nasty),
      })
      .map(({ method, path: to, version, headers, body }) => {
        const lines = [`${method} ${to} ${version}`, ...headers];
        return `${lines.join('\r\n')}\r\n\r\n${body}`;
      });
    return {
      inputs: fc.record({
        to: fc.constantFrom('api', 'api', 'admin', 'proxy'),
        bytes: fc.oneof(
          { weight: 3, arbitrary: request.map((one) => Buffer.from(one)) },
          { weight: 1, arbitrary: damaged(request) },
        ),
      }) as fc.Arbitrary<Input>,
      async feed({ to, bytes }) {
        const answer = await sendRaw(agent[to], bytes, 2);
        if (/^HTTP\/1\.1 500/.test(answer)) throw new Error(`a crash: ${answer}`);
        // Who reaches the proxy acts as the agent, so it may read; the agent's own token it must not see.
        return [to === 'proxy' ? (answer.includes(TOKEN) ? TOKEN : '') : answer, agent.printed()];
      },
      [Symbol.asyncDispose]: () => agent[Symbol.asyncDispose](),
    };
  },
};
