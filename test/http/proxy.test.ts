import http from 'node:http';
import type { AddressInfo } from 'node:net';
import net from 'node:net';
import { describe, expect, it } from 'vitest';
import { PannierError } from '../../src/base/errors.ts';
import { proxyEnv } from '../../src/http/proxy-env.ts';
import { reply } from '../faults/fault-server.ts';
import { createAuthority } from '../servers/certificates.ts';
import { afterwards, connect, serve } from './client.helpers.ts';

const good = reply(200, '{"data":{}}');

/** A proxy that sends every tunnel and every request to `port` of this machine. */
async function startProxy(port: number, status = 200) {
  const met: string[] = [];
  const credentials: (string | undefined)[] = [];
  const sockets = new Set<net.Socket>();
  const proxy = http.createServer((request, response) => {
    met.push(`${request.method} ${request.url}`);
    credentials.push(request.headers['proxy-authorization']);
    const path = new URL(request.url as string).pathname;
    const onward = http.request({ port, host: '127.0.0.1', path, agent: false, headers: request.headers }, (answer) => {
      response.writeHead(answer.statusCode as number, answer.headers);
      answer.pipe(response);
    });
    request.pipe(onward);
  });
  proxy.on('connection', (socket) => sockets.add(socket));
  proxy.on('connect', (request, client) => {
    met.push(`CONNECT ${request.url}`);
    credentials.push(request.headers['proxy-authorization']);
    if (status === 0) return;
    client.write(`HTTP/1.1 ${status} X\r\n\r\n`);
    if (status !== 200) return void client.end();
    const upstream = net.connect(port, '127.0.0.1');
    sockets.add(upstream);
    client.pipe(upstream).pipe(client);
    for (const socket of [client, upstream]) socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  afterwards(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => proxy.close(resolve));
  });
  return { url: `http://me:canarypw@127.0.0.1:${(proxy.address() as AddressInfo).port}`, met, credentials };
}

async function secureServer() {
  const { certificatePem: cert, keyPem: key } = createAuthority('ca').issue({
    commonName: 'x',
    altNames: ['vault.test'],
  });
  return serve(good, { tls: { cert, key } });
}

describe('HTTPS_PROXY', () => {
  it('is asked for a tunnel, once per kept-alive connection', async () => {
    const server = await secureServer();
    const proxy = await startProxy(server.port);
    const { ask } = connect(
      'https://vault.test:8200',
      { tls: { skipVerify: true } },
      { env: { HTTPS_PROXY: proxy.url } },
    );
    await ask('x');
    await ask('y');
    expect(proxy.met).toEqual(['CONNECT vault.test:8200']);
    expect(proxy.credentials).toEqual([`Basic ${Buffer.from('me:canarypw').toString('base64')}`]);
  });

  it('checks the certificate against the address behind it', async () => {
    const server = await secureServer();
    const proxy = await startProxy(server.port);
    const { failing } = connect('https://vault.test:8200', {}, { env: { HTTPS_PROXY: proxy.url } });
    expect(await failing('x')).toMatchObject({ code: 'BACKEND_TLS', hint: expect.stringContaining('tls.caFile') });
  });

  it('that refuses is BACKEND_UNREACHABLE, and its URL is not shown', async () => {
    const proxy = await startProxy(1, 407);
    const { failing } = connect('https://vault.test:8200', {}, { env: { https_proxy: proxy.url } });
    const failed = await failing('x');
    expect(failed).toMatchObject({ code: 'BACKEND_UNREACHABLE', seen: expect.stringContaining('proxy refused') });
    expect(JSON.stringify(failed)).not.toContain('canarypw');
  });

  it('that never answers ends with the deadline and leaves no connection', async () => {
    const proxy = await startProxy(1, 0);
    const { failing } = connect('https://vault.test:8200', { timeoutMs: 100 }, { env: { HTTPS_PROXY: proxy.url } });
    expect(await failing('x')).toMatchObject({ code: 'BACKEND_TIMEOUT' });
  });

  it('is not asked for what NO_PROXY names', async () => {
    const proxy = await startProxy(1);
    const env = { HTTPS_PROXY: proxy.url, NO_PROXY: '.svc,invalid' };
    const { failing } = connect('https://vault.invalid:8200', {}, { env });
    expect((await failing('x')).seen).toMatch(/name/);
    expect(proxy.met).toEqual([]);
  });
});

describe('HTTP_PROXY', () => {
  it('gets plain requests whole', async () => {
    const server = await serve(good);
    const proxy = await startProxy(server.port);
    const { ask } = connect('http://vault.test:8200', {}, { env: { HTTP_PROXY: proxy.url } });
    await ask('secret/data/a b');
    expect(proxy.met).toEqual(['GET http://vault.test:8200/v1/secret/data/a%20b']);
    expect(server.requests[0]?.headers['x-vault-token']).toBe('hvs.canary');
  });

  it('is never asked for loopback', async () => {
    const server = await serve(good);
    const proxy = await startProxy(server.port);
    await connect(server.address, {}, { env: { HTTP_PROXY: proxy.url } }).ask('x');
    expect(proxy.met).toEqual([]);
  });

  it('that is no URL is refused without being shown', () => {
    const make = () => connect('http://vault.test', {}, { env: { HTTP_PROXY: 'socks5://me:canarypw@x' } });
    expect(make).toThrow(PannierError);
    expect(make).not.toThrow(/canarypw/);
  });
});

it.each([
  ['10.0.0.0/8', '10.0.0.0-10.255.255.255'],
  ['192.168.7.9/24', '192.168.7.0-192.168.7.255'],
  ['10.1.2.3/32', '10.1.2.3-10.1.2.3'],
  ['0.0.0.0/0', '0.0.0.0-255.255.255.255'],
  ['example.com', 'example.com,.example.com'],
  [' .svc , x ', '.svc,x,.x'],
  ['*', '*'],
  ['vault:8200', 'vault:8200'],
])('NO_PROXY=%s is %s for Node', (given, meant) => {
  expect(proxyEnv({ NO_PROXY: given }, 'x').NO_PROXY.split('127.255.255.255,')[1]).toBe(meant);
});

it('a proxy without a scheme is an http one, and lower case wins', () => {
  expect(proxyEnv({ HTTPS_PROXY: 'a:1', https_proxy: 'proxy:3128' }, 'x').HTTPS_PROXY).toBe('http://proxy:3128/');
});
