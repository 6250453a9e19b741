import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { vault } from '../../src/backend/vault/kind.ts';
import type { HttpReloadConfig } from '../../src/config/config.ts';
import type { PathRequests } from '../../src/config/sections/backends/path-requests.ts';
import { createReload } from '../../src/reload/create-reload.ts';
import { createRequestRenderer } from '../../src/render/request.ts';
import { useScratch } from '../deliver/file/file-sink.helpers.ts';
import {
  drip,
  type FaultServer,
  flood,
  halfBody,
  hang,
  reply,
  reset,
  startFaultServer,
} from '../faults/fault-server.ts';
import { expectNoLeaks } from '../faults/leaks.ts';
import { type Given, snapshotOf } from '../render/render.helpers.ts';
import { createAuthority } from '../servers/certificates.ts';

expectNoLeaks();
const scratch = useScratch();
const never = new AbortController().signal;
const place = 'outputs.shop.reload[0]';
const CANARY = 'c4n4ry';
const secrets = { app: JSON.stringify({ token: CANARY, line: 'a\n', wide: '→', port: 1, nested: {} }) };

const knownOf = (...names: string[]) => ({
  secrets: new Set(names),
  backends: new Map([['bao', vault.pathRequests as PathRequests]]),
});

function configOf(url: string, more: Partial<HttpReloadConfig> = {}): HttpReloadConfig {
  return { kind: 'http', method: 'POST', url, headers: new Map(), timeoutMs: 5_000, place, ...more };
}

async function reloadBy(config: HttpReloadConfig, given: Readonly<Record<string, Given>> = secrets) {
  const renderer = await createRequestRenderer(config, knownOf(...Object.keys(given)));
  return createReload(config, { name: 'shop', dir: '/run/shop' }, {}, () => renderer.render(snapshotOf(given)));
}

async function failureBy(server: FaultServer, more: Partial<HttpReloadConfig> = {}) {
  return (await reloadBy(configOf(`${server.address}/-/reload?now=1`, more))).run(1, never);
}

describe('a reload by HTTP', () => {
  it('is done with any 2xx; secrets go into headers and body, the rest is as written', async () => {
    await using server = await startFaultServer(reply(204));
    const headers = new Map([
      ['Authorization', 'Bearer {{app.token}}'],
      ['Host', 'shop'],
      ['X-Empty', ''],
    ]);
    const reload = await reloadBy(configOf(`${server.address}/-/reload?now=1`, { headers, body: '{{app.port}}→' }));
    expect([reload.kind, reload.place]).toEqual(['http', place]);
    expect(await reload.run(1, never)).toBeUndefined();
    expect(server.requests).toMatchObject([
      { method: 'POST', path: '/-/reload?now=1', body: Buffer.from('1→').toString('latin1') },
    ]);
    expect(server.requests[0]?.headers).toEqual({
      authorization: `Bearer ${CANARY}`,
      host: 'shop',
      'x-empty': '',
      'content-length': '4',
      connection: 'close',
    });
  });

  it('sends the values as they are at each request, and none when a field is missing', async () => {
    await using server = await startFaultServer(reply(200));
    const config = configOf(server.address, { headers: new Map([['X-Token', '{{app.token}}']]) });
    const renderer = await createRequestRenderer(config, knownOf('app'));
    let given = '{"token":"one"}';
    const render = () => renderer.render(snapshotOf({ app: given }));
    const reload = createReload(config, { name: 'shop', dir: '/run/shop' }, {}, render);
    for (const token of ['one', 'two']) {
      given = JSON.stringify({ token });
      expect(await reload.run(1, never)).toBeUndefined();
    }
    given = '{}';
    expect(await reload.run(1, never)).toMatchObject({
      code: 'RENDER_MISSING_FIELD',
      place: `${place}.http.headers.X-Token, text:1:3`,
    });
    expect(server.requests.map(({ headers }) => headers['x-token'])).toEqual(['one', 'two']);
  });

  it.each([
    [200, undefined, undefined],
    [299, undefined, undefined],
    [500, undefined, 'HTTP 500 from'],
    [204, [200], 'HTTP 204 from'],
    [409, [200, 409], undefined],
    [304, [304], undefined],
  ])('status %i with expect %j', async (status, expected, seen) => {
    await using server = await startFaultServer(reply(status, status === 204 || status === 304 ? '' : CANARY));
    const failed = await failureBy(server, expected === undefined ? {} : { expect: expected });
    if (seen === undefined) expect(failed).toBeUndefined();
    else expect(failed).toMatchObject({ code: 'RELOAD_HTTP_STATUS', place, seen: `${seen} ${server.address}` });
  });

  it('follows no redirect', async () => {
    await using server = await startFaultServer(reply(307, '', { Location: '/elsewhere' }));
    const failed = await failureBy(server);
    expect(failed).toMatchObject({ code: 'RELOAD_HTTP_STATUS', seen: `HTTP 307 from ${server.address}` });
    expect(failed?.hint).toContain('not followed');
    expect(server.requests).toHaveLength(1);
  });

  it('goes over a unix socket, whatever host the URL names', async () => {
    await using server = await startFaultServer(reply(200), { unix: true });
    const socket = server.address.slice('unix://'.length);
    const reload = await reloadBy(configOf('http://shop.example/reload', { socket, method: 'PUT' }));
    expect(await reload.run(1, never)).toBeUndefined();
    expect(server.requests).toMatchObject([{ method: 'PUT', path: '/reload', headers: { host: 'shop.example' } }]);
    rmSync(socket, { force: true });
    const gone = await reloadBy(configOf('http://shop.example/reload', { socket: join(scratch(), 'none.sock') }));
    expect(await gone.run(1, never)).toMatchObject({
      code: 'RELOAD_HTTP_UNREACHABLE',
      seen: expect.stringContaining('no socket at /'),
    });
  });

  it('over TLS requires a certificate by caFile for that host', async () => {
    const authority = createAuthority('test');
    const { certificatePem: cert, keyPem: key } = authority.issue({ commonName: 'shop', altNames: ['127.0.0.1'] });
    await using server = await startFaultServer(reply(200), { tls: { cert, key } });
    const caFile = join(scratch(), 'ca.pem');
    expect(await failureBy(server, { caFile })).toMatchObject({
      code: 'RELOAD_HTTP_TLS',
      seen: `caFile ${caFile} cannot be read (ENOENT)`,
    });
    for (const text of ['', '\n', '{"ca":1}']) {
      writeFileSync(caFile, text);
      expect(await failureBy(server, { caFile })).toMatchObject({
        code: 'RELOAD_HTTP_TLS',
        seen: `caFile ${caFile} holds no certificate in PEM`,
      });
    }
    writeFileSync(caFile, authority.certificatePem);
    expect(await failureBy(server, { caFile })).toBeUndefined();
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
    try {
      expect(await failureBy(server)).toMatchObject({
        code: 'RELOAD_HTTP_TLS',
        seen: expect.stringContaining('unknown authority'),
      });
      const other = server.address.replace('127.0.0.1', 'localhost');
      const named = await reloadBy(configOf(other, { caFile }));
      expect(await named.run(1, never)).toMatchObject({
        code: 'RELOAD_HTTP_TLS',
        seen: expect.stringContaining('another name'),
      });
    } finally {
      delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
    }
  });

  it.each([
    ['no listener', undefined, 'RELOAD_HTTP_UNREACHABLE'],
    ['a reset', reset, 'RELOAD_HTTP_UNREACHABLE'],
    [
      'no HTTP',
      (_: unknown, socket: { end(text: string): void }) => socket.end(`${CANARY}\r\n\r\n`),
      'RELOAD_HTTP_UNREACHABLE',
    ],
    ['no answer', hang, 'RELOAD_HTTP_TIMEOUT'],
  ])('%s', async (_title, answerer, code) => {
    await using server = await startFaultServer(answerer ?? hang);
    const url = answerer === undefined ? 'http://127.0.0.1:1/' : server.address;
    const failed = await (await reloadBy(configOf(url, { timeoutMs: 300 }))).run(1, never);
    expect(failed).toMatchObject({ code, place, retry: 'backoff' });
    expect(JSON.stringify(failed)).not.toContain(CANARY);
  });

  it.each([
    ['breaks off', halfBody],
    ['never ends', drip],
    ['is huge', flood(64 << 20)],
  ])('a body that %s does not change the outcome of a good status', async (_title, answerer) => {
    await using server = await startFaultServer(answerer);
    expect(await failureBy(server, { timeoutMs: 500 })).toBeUndefined();
  });

  it('that ends because the agent stops is CANCELLED', async () => {
    await using server = await startFaultServer(hang);
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 50);
    expect((await (await reloadBy(configOf(server.address))).run(1, stop.signal))?.code).toBe('CANCELLED');
  });

  it.each([
    ['a line break', '{{app.line}}'],
    ['a wide character', '{{app.wide}}'],
    ['white space at the end', '{{app.token}} '],
  ])('a header with %s is not sent, and not shown', async (_title, text) => {
    await using server = await startFaultServer(reply(200));
    const failed = await failureBy(server, { headers: new Map([['X-Token', text]]) });
    expect(failed).toMatchObject({ code: 'RELOAD_HTTP_HEADER', place: `${place}.http.headers.X-Token` });
    expect([JSON.stringify(failed).includes(CANARY), server.requests.length]).toEqual([false, 0]);
  });

  it('refuses a template with a computed path', async () => {
    const config = configOf('http://x', { body: '{{secret app.token}}' });
    await expect(createRequestRenderer(config, knownOf('app'))).rejects.toMatchObject({
      failures: [{ code: 'TEMPLATE_REFUSED', place: `${place}.http.body` }],
    });
  });

  it('reports bad templates before anything is fetched', async () => {
    const config = configOf('http://x', { headers: new Map([['A', '{{nobody.x}}']]), body: '{{#if app.x}}' });
    await expect(createRequestRenderer(config, knownOf('app'))).rejects.toMatchObject({
      failures: [
        { code: 'TEMPLATE_UNKNOWN_NAME', place: `${place}.http.headers.A, text:1:3` },
        { code: 'TEMPLATE_SYNTAX', place: expect.stringContaining(`${place}.http.body, text:1`) },
      ],
    });
  });
});
