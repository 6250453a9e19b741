import { once } from 'node:events';
import type { IncomingMessage, RequestOptions } from 'node:http';
import { request } from 'node:https';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { MAX_REQUEST_BYTES } from '../../src/feed/relay-protocol.ts';
import { RelayServer, type RelayServerOptions } from '../../src/relay/server.ts';
import { Watchers } from '../../src/relay/watchers.ts';
import { createAuthority } from '../servers/certificates.ts';

const releases: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const release of releases.splice(0)) await release();
});

const TOPICS = JSON.stringify({ topics: [['secret/a']] });

async function serve(options: Partial<RelayServerOptions> = {}) {
  const watchers = new Watchers('boot');
  watchers.become({ live: true, role: 'active' });
  const accepts = async (token: string) => token === 'right';
  const server = await RelayServer.open({ host: '127.0.0.1', port: 0, accepts, watchers, ...options });
  releases.push(() => server[Symbol.asyncDispose]());
  const url = `http://127.0.0.1:${server.port}`;
  const post = (body: string, headers: Record<string, string> = { Authorization: 'Bearer right' }) =>
    fetch(`${url}/v1/watch`, { method: 'POST', body, headers });
  return { watchers, server, url, post };
}

describe('RelayServer', () => {
  it('answers health, readiness and metrics without a token, and nothing else', async () => {
    const { url, watchers } = await serve();
    const status = async (path: string) => (await fetch(url + path)).status;
    expect(await status('/healthz')).toBe(200);
    expect(await status('/readyz')).toBe(200);
    expect(await (await fetch(`${url}/metrics`)).text()).toContain('\npannier_notify_log_up 1\n');
    expect([await status('/v1/watch'), await status('/')]).toEqual([405, 404]);
    watchers.become({ live: false, role: 'active', why: 'gone' });
    const answer = await fetch(`${url}/readyz`);
    expect([answer.status, await answer.text()]).toEqual([503, 'gone\n']);
  });

  it('is not ready when its certificate has ended, since agents refuse it', async () => {
    let isTrusted = true;
    const { url } = await serve({ isTrusted: () => isTrusted });
    const ready = async () => {
      const answer = await fetch(`${url}/readyz`);
      return [answer.status, await answer.text()];
    };
    expect(await ready()).toEqual([200, 'ok\n']);
    isTrusted = false;
    expect(await ready()).toEqual([503, 'the certificate has ended\n']);
  });

  it('refuses a wrong token, and what is no list of topics', async () => {
    const { post } = await serve();
    expect((await post(TOPICS, {})).status).toBe(401);
    expect((await post(TOPICS, { Authorization: 'Bearer wrong' })).status).toBe(401);
    expect((await post(TOPICS, { Authorization: 'Basic right' })).status).toBe(401);
    for (const body of ['', '{', 'null', '{}', '{"topics":{}}', '{"topics":[["a",1]]}', '{"topics":[[""]]}']) {
      expect((await post(body)).status, body).toBe(400);
    }
    expect((await post(JSON.stringify({ topics: [['x'.repeat(20_000)]] }))).status).toBe(400);
    expect((await post(' '.repeat(MAX_REQUEST_BYTES + 1))).status).toBe(413);
  });

  it('sends lines until the agent leaves, and forgets it then', async () => {
    const { post, watchers } = await serve();
    const reader = ((await post(TOPICS)).body as ReadableStream<Uint8Array>).getReader();
    const next = async () => Buffer.from((await reader.read()).value ?? []).toString();
    expect(JSON.parse(await next())).toMatchObject({ live: true, role: 'active', isResumed: false });
    watchers.changed({ namespace: '', path: 'secret/a', reach: 'path' });
    expect(JSON.parse(await next())).toMatchObject({ changed: [0] });
    await reader.cancel();
    await expect.poll(() => watchers.counts.watchers).toBe(0);
  });

  it('drops an agent that reads nothing, and keeps little for it', async () => {
    const { server, watchers } = await serve();
    const socket = connect(server.port, '127.0.0.1');
    releases.push(async () => void socket.destroy());
    const head = `POST /v1/watch HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer right\r\nContent-Length: ${TOPICS.length}\r\n\r\n`;
    socket.pause();
    socket.write(head + TOPICS);
    await once(socket, 'connect');
    await expect.poll(() => watchers.counts.watchers).toBe(1);
    const why = 'x'.repeat(100_000);
    await expect
      .poll(
        () => {
          watchers.become({ live: true, role: 'active', why });
          return watchers.counts.watchers;
        },
        { interval: 1, timeout: 10_000 },
      )
      .toBe(0);
    expect(watchers.counts.dropped).toBe(1);
  });

  describe('while silent clients hold as many connections as it has', () => {
    const connections = { maxOpen: 256, maxOfAddress: 128 };
    const request = `POST /v1/watch HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer right\r\nContent-Length: ${TOPICS.length}\r\n\r\n${TOPICS}`;

    async function dial(port: number, localAddress = '127.0.0.1'): Promise<Socket> {
      const socket = connect({ port, host: '127.0.0.1', localAddress });
      socket.on('error', () => {});
      releases.push(async () => void socket.destroy());
      await once(socket, 'connect');
      return socket;
    }

    async function beSilent(port: number, count: number, localAddress?: string): Promise<void> {
      for (let i = 0; i < count; i++) await dial(port, localAddress);
    }

    /** Resolves when the relay has answered with its first line. */
    async function subscribe(socket: Socket): Promise<void> {
      socket.write(request);
      let text = '';
      while (!text.includes('"live":true')) text += String((await once(socket, 'data'))[0]);
    }

    it('gives agents their subscriptions, and leaves those that they have', async () => {
      const { server, watchers } = await serve({ connections });
      const early = await dial(server.port);
      await subscribe(early);
      await beSilent(server.port, 300);
      await subscribe(await dial(server.port));
      await beSilent(server.port, 300);
      expect(watchers.counts.watchers).toBe(2);
      watchers.changed({ namespace: '', path: 'secret/a', reach: 'path' });
      expect(String((await once(early, 'data'))[0])).toContain('"changed":[0]');
    });

    it('closes no connection of another address for them', async () => {
      const { server } = await serve({ connections });
      const slow = await dial(server.port);
      await beSilent(server.port, 300, '127.0.0.2');
      await subscribe(slow);
    });

    it('takes as many agents of one address as it has connections, and then no more', async () => {
      const { server, watchers } = await serve({ connections });
      for (let i = 0; i < 256; i++) await subscribe(await dial(server.port));
      const late = await dial(server.port);
      late.resume();
      await once(late, 'close');
      expect(watchers.counts.watchers).toBe(256);
    });
  });

  it('takes certificates of its own authority alone, and shows a new pair to new connections', async () => {
    const authority = createAuthority('relay CA');
    const pairOf = (name: string, by = authority) => {
      const { certificatePem, keyPem } = by.issue({ commonName: name, altNames: ['127.0.0.1'] });
      return { certificate: certificatePem, key: keyPem };
    };
    const { server } = await serve({
      pair: pairOf('first'),
      clientCa: authority.certificatePem,
      accepts: undefined,
    });
    const post = async (path: string, more: RequestOptions & { cert?: string; key?: string }) => {
      const sent = request({
        ...{ host: '127.0.0.1', port: server.port, path, method: 'POST', agent: false },
        ...{ ca: authority.certificatePem },
        ...more,
      });
      sent.end(TOPICS);
      const [answer] = (await once(sent, 'response')) as [IncomingMessage];
      const shown = (answer.socket as import('node:tls').TLSSocket).getPeerCertificate().subject.CN;
      sent.destroy();
      return [answer.statusCode, shown];
    };
    const own = pairOf('agent');
    const foreign = pairOf('agent', createAuthority('another CA'));
    expect(await post('/v1/watch', { cert: own.certificate, key: own.key })).toEqual([200, 'first']);
    expect(await post('/v1/watch', { cert: foreign.certificate, key: foreign.key })).toEqual([401, 'first']);
    expect(await post('/v1/watch', {})).toEqual([401, 'first']);
    expect(await post('/healthz', {})).toEqual([200, 'first']);
    server.use(pairOf('second'));
    expect(await post('/v1/watch', { cert: own.certificate, key: own.key })).toEqual([200, 'second']);
  });
});
