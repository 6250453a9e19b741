import { connect } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { numbers } from '../../lease/lease.helpers.ts';
import { apiWorld } from './api.helpers.ts';

const SHOWN = 'canary-shown';
const HIDDEN = 'canary-hidden';

const METHODS = [
  'GET',
  'GET',
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'OPTIONS',
  'PATCH',
  'TRACE',
  'CONNECT',
  'get',
  'G\0T',
  'PRI',
  '',
];
const PATHS = [
  '/v1/secrets',
  '/v1/secrets/app',
  '/v1/secrets/app/password',
  '/v1/secrets/db',
  '/v1/secrets/db/password',
  '/v1/watch',
  '/v1/watch?secret=app',
  '/v1/watch?secret=db',
  '/v1/status',
  '/v1/openapi.json',
  '/v1/secrets/app/refresh',
  '/v1/secrets/db/refresh',
  '/v1/config/reload',
  '/v1/stop',
  '/v1/outputs/x/reload',
  '/secretsmanager/get?secretId=app',
  '/secretsmanager/get?secretId=db',
  '/v1/db',
  '/v1/app',
  '/ping',
  '*',
  'http://evil.example/v1/secrets/app',
  '//v1/secrets',
  '/v1/secrets/app?wait=1ms',
  '/v1/secrets/__proto__',
  '/v1/secrets/constructor/prototype',
];
const PIECES = [
  '..',
  '%2e%2e',
  '%2f',
  '%00',
  '\0',
  '//',
  '/',
  '?',
  '#',
  '%',
  '%zz',
  '%ff',
  'ä',
  '&secret=db',
  '?wait=1h',
  '\\',
  ';',
  ' ',
  '\t',
  'x'.repeat(300),
  '"',
  "'",
  '{{app.password}}',
  '/../db',
  '%252e',
];
const HEADERS = [
  'Host: localhost',
  'Host: a\r\nHost: b',
  ...Array<string>(4).fill('If-None-Match: *'),
  'If-None-Match: "boot-1"',
  `If-None-Match: ${'"a",'.repeat(200)}`,
  'Last-Event-ID: boot-1',
  'Last-Event-ID: \0',
  'X-Forwarded-For: 1',
  'Via: x',
  'Content-Length: 5',
  'Content-Length: 99999999999',
  'Content-Length: -1',
  'Content-Length: 1\r\nContent-Length: 2',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: chunked\r\nContent-Length: 3',
  'Transfer-Encoding: gzip',
  'Expect: 100-continue',
  'Upgrade: websocket\r\nConnection: Upgrade',
  'Connection: close',
  `X: ${'y'.repeat(20_000)}`,
  'X-Pannier-Token: x',
  ': empty',
  'no colon',
  ' folded',
  'A: \x01',
  `Range: bytes=0-${'1'.repeat(40)}`,
];
const BODIES = [
  '',
  '',
  '',
  'x',
  '{"a":1}',
  '5\r\nhello\r\n0\r\n\r\n',
  'ffffffff\r\n',
  '\0\0\0',
  'GET /v1/secrets/app HTTP/1.1\r\nHost: x\r\n\r\n',
];

describe('10,000 random requests', () => {
  it('crash nothing, show no hidden secret, and leak no memory', async () => {
    const world = await apiWorld(['app', 'db'], { secrets: ['app'] });
    world.backend.set('app', { password: SHOWN });
    world.backend.set('db', { password: HIDDEN });
    await world.start();
    const random = numbers(20_260_726);
    const one = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)] as T;
    const make = (): string => {
      let path = one(PATHS);
      for (let n = Math.floor(random() * 3); n > 0; n--) {
        const at = Math.floor(random() * (path.length + 1));
        path = path.slice(0, at) + one(PIECES) + path.slice(at);
      }
      const headers = Array.from({ length: Math.floor(random() * 4) }, () => one(HEADERS));
      const version = random() < 0.9 ? 'HTTP/1.1' : one(['HTTP/1.0', 'HTTP/2.0', 'HTTP/9', 'X', '']);
      const host = random() < 0.8 ? ['Host: localhost'] : [];
      return `${one(METHODS)} ${path} ${version}\r\n${[...host, ...headers].join('\r\n')}\r\n\r\n${one(BODIES)}`;
    };
    const gc = collector();
    const heap: number[] = [];
    const statuses = new Map<string, number>();
    let shown = 0;
    for (let round = 0; round < 100; round++) {
      const requests = Array.from({ length: 100 }, make);
      const left = requests.values();
      const worker = async () => {
        for (const request of left) {
          const answer = await sendRaw(world.path, request);
          if (answer.includes(HIDDEN)) throw new Error(`shown: ${JSON.stringify(request)}`);
          if (answer.includes(SHOWN)) {
            shown++;
            expect(request).toMatch(/app|watch/);
          }
          const status = /^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? 'none';
          statuses.set(status, (statuses.get(status) ?? 0) + 1);
        }
      };
      await Promise.all(Array.from({ length: 16 }, worker));
      world.facts.splice(0);
      if (round % 20 === 19) {
        gc();
        heap.push(process.memoryUsage().heapUsed / 2 ** 20);
      }
    }
    expect([...statuses.keys()]).toEqual(
      expect.arrayContaining(['200', '304', '400', '403', '404', '405', '413', '431']),
    );
    expect(statuses.get('500')).toBeUndefined();
    expect(shown).toBeGreaterThan(100);
    expect(world.done.filter((what) => what === 'stop')).toEqual([]);
    expect((heap.at(-1) ?? 0) - (heap[0] ?? 0)).toBeLessThan(4);
    expect(await world.get('/v1/secrets/app/password')).toMatchObject({ status: 200, body: SHOWN });
    while (world.listener.connections > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  }, 120_000);
});

/** Sends a request and reads until the server ends the connection, or sends nothing for a moment. */
function sendRaw(path: string, request: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect({ path });
    const end = () => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    let timer = setTimeout(end, 1_000);
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
      clearTimeout(timer);
      timer = setTimeout(end, 3);
    });
    socket.on('error', end);
    socket.on('close', end);
    socket.end(request, 'latin1');
  });
}

function collector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}
