import { request } from 'node:https';
import { connect, type TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Fact } from '../../src/base/fact.ts';
import { InjectorServer, type ReviewOutcome } from '../../src/injector/server/server.ts';
import { createAuthority } from '../servers/certificates.ts';
import { DEFAULTS, reviewOf } from './review.helpers.ts';

const authority = createAuthority('injector test');
const pairOf = (name: string) => {
  const { certificatePem, keyPem } = authority.issue({ commonName: name, altNames: ['localhost'] });
  return { certificate: certificatePem, key: keyPem };
};
const ca = authority.certificatePem;

let server: InjectorServer;
let facts: Fact[];
let isReady: boolean;
let outcomes: ReviewOutcome[];

beforeEach(async () => {
  facts = [];
  isReady = true;
  outcomes = [];
  server = await InjectorServer.open({
    host: '127.0.0.1',
    port: 0,
    pair: pairOf('first'),
    defaults: DEFAULTS,
    emit: (fact) => facts.push(fact),
    isReady: () => isReady,
    onReviewed: (outcome) => outcomes.push(outcome),
  });
});

afterEach(() => server[Symbol.asyncDispose]());

interface Asked {
  readonly method?: string;
  readonly path?: string;
  readonly type?: string;
  readonly body?: string | Buffer;
  readonly isChunked?: boolean;
}

function ask({ method = 'POST', path = '/mutate', type = 'application/json', body, isChunked }: Asked) {
  // biome-ignore lint/suspicious/noExplicitAny: answers are taken apart freely
  return new Promise<{ status: number; body: any }>((resolve, reject) => {
    const to = { host: '127.0.0.1', servername: 'localhost', port: server.port, ca, agent: false, method, path };
    const headers = { 'Content-Type': type, ...(isChunked === true ? { 'Transfer-Encoding': 'chunked' } : {}) };
    const sent = request({ ...to, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, body: JSON.parse(Buffer.concat(chunks).toString()) });
        sent.destroy();
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

const pod = (annotations: object) => ({ metadata: { annotations }, spec: { containers: [{ name: 'a', image: 'x' }] } });

/** The name in the certificate that a new connection is shown. */
function shown(): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', servername: 'localhost', port: server.port, ca }, () => {
      resolve(String(socket.getPeerCertificate().subject.CN));
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

describe('the server of the injector', () => {
  it('answers a review, and tells the pod', async () => {
    const annotations = { 'vault.hashicorp.com/agent-inject': 'true' };
    const answer = await ask({ body: JSON.stringify(reviewOf(pod(annotations))) });
    expect(answer).toMatchObject({ status: 200, body: { response: { allowed: false } } });
    expect(facts).toMatchObject([{ kind: 'pod-denied', namespace: 'shop', reason: expect.stringContaining('role') }]);
    expect(await ask({ body: JSON.stringify(reviewOf(pod({}))) })).toMatchObject({
      body: { response: { allowed: true } },
    });
    const injected = pod({
      'pannier.dev/inject': 'true',
      'pannier.dev/role': 'shop',
      'pannier.dev/secret-app': '{ kv: secret/shop/app }',
      'pannier.dev/file-app.env': '{ format: dotenv, from: app }',
    });
    expect(await ask({ body: JSON.stringify(reviewOf(injected)) })).toMatchObject({ status: 200 });
    expect(outcomes).toEqual(['denied', 'unchanged', 'injected']);
  });

  it.each([
    ['JSON that is broken', { body: '{' }, 400],
    ['bytes that are no UTF-8', { body: Buffer.of(0x7b, 0xff, 0x7d) }, 400],
    [
      'a review that is not v1',
      { body: JSON.stringify({ ...reviewOf({}), apiVersion: 'admission.k8s.io/v1beta1' }) },
      400,
    ],
    ['a body of another type', { type: 'text/plain', body: '{}' }, 415],
    ['another method', { method: 'GET' }, 405],
    ['another path', { path: '/validate', body: '{}' }, 404],
  ])('refuses %s', async (_, asked, status) => {
    expect(await ask(asked)).toMatchObject({ status, body: { error: expect.any(String) } });
    expect(outcomes).toEqual(status === 404 ? [] : ['refused']);
  });

  it.each([
    ['with its length', false],
    ['in chunks', true],
  ])('refuses a body of more than three MiB that is sent %s, and goes on', async (_, isChunked) => {
    const sent = ask({ body: Buffer.alloc(3 * 1024 * 1024 + 1, ' '), isChunked });
    // The rest of the body may meet a closed connection before the answer is read.
    expect(await sent.catch(() => ({ status: 413 }))).toMatchObject({ status: 413 });
    expect(await ask({ method: 'GET', path: '/healthz' })).toMatchObject({ status: 200 });
  });

  it('takes a review of nearly three MiB', async () => {
    const review = reviewOf(pod({ note: 'x'.repeat(3 * 1024 * 1024 - 2000) }));
    expect(await ask({ body: JSON.stringify(review) })).toMatchObject({
      status: 200,
      body: { response: { allowed: true } },
    });
  });

  it('answers the probes of the kubelet', async () => {
    expect(await ask({ method: 'GET', path: '/readyz' })).toMatchObject({ status: 200 });
    isReady = false;
    expect(await ask({ method: 'GET', path: '/readyz' })).toMatchObject({ status: 503 });
    expect(await ask({ method: 'GET', path: '/healthz' })).toMatchObject({ status: 200 });
  });

  it('answers the probes and reviews while slow clients hold all connections', async () => {
    let closed = 0;
    const slow: TLSSocket[] = [];
    const body = 'POST /mutate HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n{';
    for (let count = 0; count < 260; count++) {
      const socket = connect({ host: '127.0.0.1', servername: 'localhost', port: server.port, ca });
      socket.on('error', () => {}).resume();
      socket.once('close', () => closed++);
      await new Promise<void>((resolve) => socket.once('secureConnect', resolve));
      socket.write(body);
      slow.push(socket);
    }
    expect(await ask({ method: 'GET', path: '/readyz' })).toMatchObject({ status: 200 });
    expect(await ask({ body: JSON.stringify(reviewOf(pod({}))) })).toMatchObject({ status: 200 });
    await vi.waitFor(() => expect(closed).toBeGreaterThan(100), 20_000);
    for (const socket of slow) socket.destroy();
  }, 60_000);

  it.each([
    ['its head', 'POST /mutate HTTP/1.1\r\nHost: a\r\n'],
    ['its body', 'POST /mutate HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{'],
  ])(
    'closes a connection that does not send %s in a few seconds',
    async (_, begin) => {
      const socket = connect({ host: '127.0.0.1', servername: 'localhost', port: server.port, ca }, () => {
        socket.write(begin);
      });
      const chunks: Buffer[] = [];
      socket.on('data', (chunk: Buffer) => chunks.push(chunk));
      socket.on('error', () => {});
      await new Promise<void>((resolve) => socket.once('close', () => resolve()));
      expect(Buffer.concat(chunks).toString()).toMatch(/^(?:HTTP\/1\.1 408|$)/);
    },
    25_000,
  );

  it('shows new connections another certificate without a restart', async () => {
    expect(await shown()).toBe('first');
    server.use(pairOf('second'));
    expect(await shown()).toBe('second');
  });

  it('does not take TLS 1.1', async () => {
    const old = new Promise((resolve) => {
      const to = { host: '127.0.0.1', servername: 'localhost', port: server.port, ca, maxVersion: 'TLSv1.1' as const };
      connect({ ...to, minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' }, () => resolve('connected')).on(
        'error',
        () => resolve('refused'),
      );
    });
    expect(await old).toBe('refused');
  });

  it('names the port that is taken', async () => {
    const again = { host: '127.0.0.1', port: server.port, pair: pairOf('x'), defaults: DEFAULTS, emit: () => {} };
    await expect(InjectorServer.open({ ...again, isReady: () => true })).rejects.toThrow(/LISTEN_IN_USE/);
  });
});
