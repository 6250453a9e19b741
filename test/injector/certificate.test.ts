import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Fact } from '../../src/base/fact.ts';
import { makeServerCertificate } from '../../src/certificate/make-certificate.ts';
import { certificatesIn } from '../../src/certificate/pem.ts';
import type { ServingPair } from '../../src/http/serving/pair.ts';
import { certificateOfFiles } from '../../src/http/serving/pair-of-files.ts';
import { callApiServer } from '../../src/injector/certificate/api-server.ts';
import { mergeBundle } from '../../src/injector/certificate/ca-bundle.ts';
import { selfMadeCertificate } from '../../src/injector/certificate/self-made.ts';
import { includeInBundle } from '../../src/injector/certificate/webhook-bundle.ts';
import { FakeClock } from '../fake-clock.ts';
import { createAuthority } from '../servers/certificates.ts';
import { findFreePort } from '../servers/free-port.ts';
import { startWebhookServer, type WebhookServer } from './api-server.helpers.ts';

const NOW = Date.UTC(2026, 10, 30);
const DAY_MS = 86_400_000;

const caOf = async (replica: string, nowMs = NOW, lifeMs = 7 * DAY_MS) =>
  (await makeServerCertificate({ name: `Pannier injector ${replica}`, dnsNames: ['x'], nowMs, lifeMs })).ca;

describe('the bundle of authorities', () => {
  it('keeps those of other replicas, and leaves out what has ended and what an earlier process had', async () => {
    const [other, ended, earlier, own] = [
      await caOf('b'),
      await caOf('c', NOW - 8 * DAY_MS),
      await caOf('a'),
      await caOf('a'),
    ];
    const merged = certificatesIn(mergeBundle(`${other}${ended}${earlier}broken`, [own], NOW));
    expect(new Set(merged)).toEqual(new Set([other, own]));
    expect(mergeBundle(mergeBundle(other, [own], NOW), [own], NOW)).toBe(mergeBundle(other, [own], NOW));
  });

  it('has at most fifty, of which the newest stay', async () => {
    const many = await Promise.all(Array.from({ length: 55 }, (_, i) => caOf(`r${i}`, NOW + i * 1000)));
    const merged = certificatesIn(mergeBundle(many.join(''), [await caOf('own')], NOW));
    expect(merged).toHaveLength(50);
    expect(merged).toContain(many[54]);
    expect(merged).not.toContain(many[0]);
  });
});

describe('a certificate that the injector makes', () => {
  let api: WebhookServer;
  let clock: FakeClock;
  let facts: Fact[];
  let abort: AbortController;
  let running: Promise<void>;
  let used: ServingPair[];

  beforeEach(async () => {
    api = await startWebhookServer();
    clock = new FakeClock(NOW);
    facts = [];
    used = [];
    abort = new AbortController();
  });

  afterEach(async () => {
    abort.abort();
    await running;
    expect(clock.waiting).toBe(0);
    await api[Symbol.asyncDispose]();
  });

  function begin() {
    const source = selfMadeCertificate({
      webhook: 'pannier-injector',
      service: 'pannier-injector.pannier.svc',
      replica: 'a',
      call: api.call,
      clock,
      emit: (fact) => facts.push(fact),
    });
    const first = source.first();
    running = first.then(() => source.keepFresh((pair) => used.push(pair), abort.signal));
    return { source, first };
  }

  /** Moves the clock when the injector sleeps: between its sleeps it waits for the API server. */
  async function pass(ms: number): Promise<void> {
    await vi.waitFor(() => expect(clock.waiting).toBe(1));
    await clock.advance(ms);
    await vi.waitFor(() => expect(clock.waiting).toBe(1));
  }

  it('is trusted when its authority is in the bundle of each webhook', async () => {
    const { source, first } = begin();
    expect(source.isTrusted()).toBe(false);
    await vi.waitFor(() => expect(source.isTrusted()).toBe(true));
    const { ca } = (await first) as unknown as { ca: string };
    expect(api.bundles()).toEqual([ca, ca]);
    expect(new Set(api.tokens)).toEqual(new Set(['Bearer the-token']));
  });

  it('is put into the bundle again when somebody has written the webhook without it', async () => {
    const { source } = begin();
    await vi.waitFor(() => expect(source.isTrusted()).toBe(true));
    const before = api.bundles();
    api.reset();
    await pass(60_000);
    expect(api.bundles()).toEqual(before);
    await pass(60_000);
    expect(api.patches).toBe(2);
  });

  it('is tried again while the API server is away, and told', async () => {
    api.fail(503);
    const { source } = begin();
    await vi.waitFor(() => expect(clock.waiting).toBe(1));
    expect(facts).toMatchObject([{ warning: { code: 'INJECTOR_API_SERVER', seen: expect.stringContaining('503') } }]);
    expect(source.isTrusted()).toBe(false);
    api.fail(undefined);
    await clock.advance(1_000);
    await vi.waitFor(() => expect(source.isTrusted()).toBe(true));
  });

  it('is replaced at two thirds of its life, and its authority is trusted before it is shown', async () => {
    const { source } = begin();
    await vi.waitFor(() => expect(source.isTrusted()).toBe(true));
    const [old] = api.bundles();
    clock.jumpWall(4.7 * DAY_MS);
    await pass(60_000);
    expect(used).toEqual([]);
    expect(certificatesIn(api.bundles()[0] ?? '')).toHaveLength(2);
    await pass(10_000);
    expect(used).toHaveLength(1);
    expect(source.isTrusted()).toBe(true);
    await pass(60_000);
    expect(certificatesIn(api.bundles()[0] ?? '')).toHaveLength(1);
    expect(api.bundles()[0]).not.toBe(old);
  });

  it('loses no authority of a replica that writes at the same moment', async () => {
    running = Promise.resolve();
    const [a, b] = [await caOf('a'), await caOf('b')];
    api.beforePatch(() => api.reset());
    await includeInBundle(api.call, { name: 'pannier-injector', own: [a], nowMs: NOW });
    await includeInBundle(api.call, { name: 'pannier-injector', own: [b], nowMs: NOW });
    expect(new Set(certificatesIn(api.bundles()[0] ?? ''))).toEqual(new Set([a, b]));
  });
});

describe('an API server that cannot be reached', () => {
  it('is said with what stands in the way most often', async () => {
    await using server = await startWebhookServer();
    const nobody = await findFreePort();
    const call = callApiServer({ host: '127.0.0.1', port: nobody, accountDir: server.accountDir });
    await expect(call('GET', '/', undefined)).rejects.toMatchObject({
      failure: { code: 'INJECTOR_API_SERVER', hint: expect.stringContaining('NetworkPolicy') },
    });
  });
});

describe('an API server whose authority is not known', () => {
  it.each(['', '\n', 'not PEM'])('is not asked, and gets no token: ca.crt holds %j', async (text) => {
    await using server = await startWebhookServer();
    writeFileSync(join(server.accountDir, 'ca.crt'), text);
    await expect(server.call('GET', '/', undefined)).rejects.toMatchObject({
      failure: { code: 'INJECTOR_API_SERVER', seen: expect.stringContaining('ca.crt holds no certificate in PEM') },
    });
  });
});

describe('a certificate in files', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'pannier-tls-'));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  const write = (pair: { readonly certificatePem: string; readonly keyPem: string }) => {
    writeFileSync(join(dir, 'tls.crt'), pair.certificatePem);
    writeFileSync(join(dir, 'tls.key'), pair.keyPem);
  };

  it('is read again when it changes; a pair that does not fit leaves the one before, and is told once', async () => {
    const authority = createAuthority('x');
    const [one, two] = [authority.issue({ commonName: 'one' }), authority.issue({ commonName: 'two' })];
    const clock = new FakeClock(NOW);
    const facts: Fact[] = [];
    const used: ServingPair[] = [];
    const abort = new AbortController();
    const files = { certFile: join(dir, 'tls.crt'), keyFile: join(dir, 'tls.key') };
    const source = certificateOfFiles({ ...files, clock, emit: (fact) => facts.push(fact) });
    await expect(source.first()).rejects.toThrow(/INJECTOR_CERTIFICATE/);
    write(one);
    expect(await source.first()).toEqual({ certificate: one.certificatePem, key: one.keyPem });
    const running = source.keepFresh((pair) => used.push(pair), abort.signal);
    const look = async () => {
      await vi.waitFor(() => expect(clock.waiting).toBe(1));
      await clock.advance(10_000);
      await vi.waitFor(() => expect(clock.waiting).toBe(1));
    };
    await look();
    expect(used).toEqual([]);
    write({ certificatePem: two.certificatePem, keyPem: one.keyPem });
    for (let looks = 0; looks < 3; looks++) await look();
    expect(used).toEqual([]);
    expect(facts).toMatchObject([{ warning: { code: 'INJECTOR_CERTIFICATE', place: files.keyFile } }]);
    write(two);
    await look();
    expect(used).toEqual([{ certificate: two.certificatePem, key: two.keyPem }]);
    abort.abort();
    await running;
  });

  it('is not ready when it has ended, which is told once, and is ready with the next one', async () => {
    const authority = createAuthority('x');
    const clock = new FakeClock(Date.now());
    const facts: Fact[] = [];
    const abort = new AbortController();
    const files = { certFile: join(dir, 'tls.crt'), keyFile: join(dir, 'tls.key') };
    const source = certificateOfFiles({ ...files, clock, emit: (fact) => facts.push(fact) });
    write(authority.issue({ commonName: 'one', lifetimeMs: 60_000 }));
    await source.first();
    const running = source.keepFresh(() => {}, abort.signal);
    const look = async () => {
      await vi.waitFor(() => expect(clock.waiting).toBe(1));
      await clock.advance(10_000);
      await vi.waitFor(() => expect(clock.waiting).toBe(1));
    };
    await look();
    expect([source.isTrusted(), facts]).toEqual([true, []]);
    for (let looks = 0; looks < 8; looks++) await look();
    expect(source.isTrusted()).toBe(false);
    expect(facts).toMatchObject([{ warning: { code: 'INJECTOR_CERTIFICATE', place: files.certFile } }]);
    write(authority.issue({ commonName: 'two', lifetimeMs: 3_600_000 }));
    await look();
    expect(source.isTrusted()).toBe(true);
    abort.abort();
    await running;
  });
});
