import { X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { loadAccountKey } from '../../../src/backend/acme/account-key.ts';
import { AcmeClient } from '../../../src/backend/acme/client/client.ts';
import type { AcmeBackendConfig } from '../../../src/backend/acme/config/config.ts';
import type { Want } from '../../../src/backend/backend.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { Secret } from '../../../src/base/secret.ts';
import { plainText } from '../../../src/base/value.ts';
import {
  createAuthority,
  type DnsServer,
  enableAcme,
  enablePki,
  type OpenBao,
  startDns,
  startOpenBao,
} from '../../servers/index.ts';
import {
  dns01,
  dnsProgram,
  type Front,
  failureOf,
  fetchNew,
  type Opened,
  refuse,
  startFront,
  useAcme,
  wantOf,
} from './acme.helpers.ts';

let bao: OpenBao;
let dns: DnsServer;
let front: Front;
beforeAll(async () => {
  [bao, dns] = await Promise.all([startOpenBao(), startDns()]);
  const started = await startFront();
  started.passTo(bao.address);
  front = started;
  await enablePki(bao, { role: 'shop', allowedDomains: ['shop.test'], maxTtl: '1h' });
  await enableAcme(bao, { resolver: dns.address, base: front.address });
});
afterAll(async () => {
  await front[Symbol.asyncDispose]();
  await dns[Symbol.asyncDispose]();
  await bao.stop();
});

const acme = useAcme();
let dir: string;
let config: Pick<AcmeBackendConfig, 'address' | 'dns01' | 'account'>;
beforeEach(() => {
  dir = acme.folder();
  config = {
    address: `${front.address}/v1/pki/roles/shop/acme/directory`,
    dns01: dns01(dnsProgram(dns, dir)),
    account: { keyFile: join(dir, 'account.key'), contact: ['mailto:ops@shop.test'], termsAgreed: false },
  };
});
const log = () => readFileSync(join(dir, 'log'), 'utf8').trim().split('\n');

describe('a certificate by ACME of a real OpenBao', () => {
  it('is issued for a name and its wildcard, with a key that was made here', async () => {
    const opened = acme.open(config);
    const value = await fetchNew(opened, wantOf(['shop.test', '*.shop.test']));
    const x509 = new X509Certificate(value.text('certificate'));
    expect(x509.subjectAltName).toBe('DNS:shop.test, DNS:*.shop.test');
    expect(value.text('privateKeyType')).toBe('ec');
    expect(value.text('serialNumber')).toBe(value.version);
    expect(x509.verify(new X509Certificate(value.text('issuingCa')).publicKey)).toBe(true);
    expect(value.life).toMatchObject({ kind: 'certificate', notAfterMs: x509.validToDate.getTime() });
  });

  it('has its DNS records set one after the other by a program without arguments, and removed again', async () => {
    await fetchNew(acme.open(config), wantOf(['shop.test', '*.shop.test']));
    const record = '_acme-challenge.shop.test 0';
    expect(log()).toEqual([`present ${record}`, `cleanup ${record}`, `present ${record}`, `cleanup ${record}`]);
    expect(existsSync(join(dns.dir, '_acme-challenge.shop.test'))).toBe(false);
  });

  it.each([
    ['RSA', { type: 'rsa', bits: 2048 }, 'rsa'],
    ['P-384', { type: 'ec', curve: 'P-384' }, 'ec'],
  ] as const)('may have a key of kind %s', async (_, key, type) => {
    await bao.api('POST', 'pki/roles/any', {
      allowed_domains: ['shop.test'],
      allow_bare_domains: true,
      key_type: 'any',
      max_ttl: '1h',
    });
    const opened = acme.open({ ...config, address: config.address.replace('roles/shop', 'roles/any') });
    expect((await fetchNew(opened, wantOf(['shop.test'], { key }))).text('privateKeyType')).toBe(type);
  });

  it('for the same key is ordered when the key is reused', async () => {
    const opened = acme.open(config);
    const want = wantOf(['shop.test'], { key: { type: 'ec', curve: 'P-256', reuse: true } });
    const first = await fetchNew(opened, want);
    const answer = await opened.backend.source.fetch(want, first, new AbortController().signal);
    if (answer.state !== 'changed') throw new Error('it is the same certificate');
    expect(answer.value.version).not.toBe(first.version);
    expect(answer.value.fields.get('privateKey')).toEqual(first.fields.get('privateKey'));
  });

  it('is taken up again after a restart without one request, and only while it is what is asked for', async () => {
    const first = await fetchNew(acme.open(config), wantOf(['shop.test']));
    const next = acme.open(config);
    const restored = await next.backend.source.restorer?.(wantOf(['shop.test']))?.(first.fields);
    expect(restored?.version).toBe(first.version);
    for (const other of [wantOf(['shop.test', 'a.shop.test']), wantOf(['shop.test'], { key: { type: 'ed25519' } })]) {
      expect(await next.backend.source.restorer?.(other)?.(first.fields)).toBeUndefined();
    }
    expect(next.calls()).toEqual([]);
  });
});

describe('what was ordered and is not published', () => {
  const keptBy = (opened: Opened, want: Want) => opened.backend.source.kept?.(want);

  it('is kept for the same account and request alone, and taken up without one request', async () => {
    const want = wantOf(['shop.test']);
    const first = await fetchNew(acme.open(config), want);
    const next = acme.open(config);
    const kept = await keptBy(next, want);
    const restored = await next.backend.source.restorer?.(want)?.(kept?.fields ?? new Map());
    expect([restored?.version, plainText(restored?.fields.get('privateKey'))]).toEqual([
      first.version,
      first.text('privateKey'),
    ]);
    expect(kept?.cameWallMs).toBeGreaterThan(Date.now() - 60_000);
    expect(await keptBy(next, wantOf(['api.shop.test']))).toBeUndefined();
    expect(next.calls()).toEqual([]);
    rmSync(join(dir, 'account.key')); // the next account is another one
    const other = acme.open(config);
    await fetchNew(other, wantOf(['api.shop.test']));
    expect(await keptBy(other, want)).toBeUndefined();
  });

  it('counts for nothing in a file that was changed, that belongs to another request, or that is a folder', async () => {
    const want = wantOf(['shop.test']);
    const [orders, opened] = [join(dir, 'account.key.orders'), acme.open(config)];
    await fetchNew(opened, want);
    const [name = ''] = readdirSync(orders);
    const file = join(orders, name);
    await fetchNew(opened, wantOf(['api.shop.test']));
    const [other = ''] = readdirSync(orders).filter((one) => one !== name);
    const bytes = readFileSync(file);
    for (const at of [0, 20, bytes.length - 1]) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] as number) ^ 1;
      writeFileSync(file, changed);
      expect(await keptBy(opened, want)).toBeUndefined();
    }
    writeFileSync(file, bytes.subarray(0, 10));
    expect(await keptBy(opened, want)).toBeUndefined();
    writeFileSync(file, readFileSync(join(orders, other)));
    expect(await keptBy(opened, want)).toBeUndefined();
    rmSync(file);
    mkdirSync(file);
    expect(await keptBy(opened, want)).toBeUndefined();
    const next = acme.open(config);
    expect((await fetchNew(next, want)).text('certificate')).toContain('BEGIN CERTIFICATE');
    const seen = expect.stringContaining(`${file} is a directory`);
    expect(next.warnings()).toMatchObject([{ code: 'STATE_NOT_WRITABLE', place: 'backends.ca.accountKeyFile', seen }]);
  });
});

describe('the account of ACME', () => {
  it('has a key that is made when the file is missing, told of once, private and used again', async () => {
    const first = acme.open(config);
    await fetchNew(first, wantOf(['shop.test']));
    const file = join(dir, 'account.key');
    const made = readFileSync(file, 'utf8');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(first.warnings()).toMatchObject([{ code: 'AUTH_KEY_MADE', place: 'backends.ca.accountKeyFile' }]);
    const second = acme.open(config);
    await fetchNew(second, wantOf(['shop.test']));
    expect([readFileSync(file, 'utf8') === made, second.warnings()]).toEqual([true, []]);
  });

  it.each([
    ['holds no key', () => writeFileSync(join(dir, 'account.key'), 'CANARY'), 'AUTH_UNUSABLE'],
    ['is empty', () => writeFileSync(join(dir, 'account.key'), ''), 'AUTH_CREDENTIAL_EMPTY'],
  ])('is never replaced when its file %s', async (_, spoil, code) => {
    spoil();
    const before = readFileSync(join(dir, 'account.key'), 'utf8');
    const why = await failureOf(fetchNew(acme.open(config), wantOf(['shop.test'])));
    expect(why).toMatchObject({ code, place: 'backends.ca.accountKeyFile' });
    expect(readFileSync(join(dir, 'account.key'), 'utf8')).toBe(before);
    expect(JSON.stringify(why)).not.toContain('CANARY');
  });

  it('is made although a start that was killed has left its key half written', async () => {
    writeFileSync(join(dir, `account.key.${process.pid}`), 'half');
    await fetchNew(acme.open(config), wantOf(['shop.test']));
    expect(statSync(join(dir, 'account.key')).size).toBeGreaterThan(200);
  });

  it('says when its key can neither be read nor made', async () => {
    const keyFile = join(dir, 'nowhere', 'account.key');
    const why = await failureOf(
      fetchNew(acme.open({ ...config, account: { ...config.account, keyFile } }), wantOf(['shop.test'])),
    );
    expect(why).toMatchObject({
      code: 'AUTH_CREDENTIAL_UNREADABLE',
      seen: `${keyFile} does not exist and cannot be made (ENOENT)`,
    });
  });

  it('that was deactivated is told with the words of the server', async () => {
    await fetchNew(acme.open(config), wantOf(['shop.test']));
    const context = { clock: systemClock, random: Math.random, emit: () => {}, env: {}, version: '0', kept: new Map() };
    const client = new AcmeClient(
      { kind: 'acme', name: 'ca', tls: { skipVerify: false }, timeoutMs: 9_000, ...config },
      context,
    );
    const { signal } = new AbortController();
    const key = await loadAccountKey({ account: config.account, place: 'backends.ca', emit: () => {} }, signal);
    const { newAccount } = await client.directory('', signal);
    const call = { operation: 'NewAccount', place: '' };
    const { location: kid = '' } = (await client.post({ ...call, url: newAccount }, { key }, {}, signal)).headers;
    await client.post({ ...call, url: kid }, { key, kid }, { status: 'deactivated' }, signal);
    await client[Symbol.asyncDispose]();
    expect(await failureOf(fetchNew(acme.open(config), wantOf(['shop.test'])))).toMatchObject({
      code: 'AUTH_DENIED',
      place: 'backends.ca',
      seen: expect.stringMatching(/account|deactivated|not have sufficient/i),
    });
  });

  it('that the server has forgotten is made anew at the next try', async () => {
    const opened = acme.open(config);
    await fetchNew(opened, wantOf(['shop.test']));
    front.next('new-order', refuse(400, 'accountDoesNotExist', 'who are you?'));
    await failureOf(fetchNew(opened, wantOf(['a.shop.test'])));
    await fetchNew(opened, wantOf(['b.shop.test']));
    expect(opened.calls().filter((call) => call === 'NewAccount')).toHaveLength(2);
  });

  it('is taken from the configuration too, also on one line', async () => {
    await fetchNew(acme.open(config), wantOf(['shop.test']));
    const key = Secret.text(readFileSync(join(dir, 'account.key'), 'utf8').replaceAll('\n', '\\n'));
    await fetchNew(acme.open({ ...config, account: { key, contact: [], termsAgreed: true } }), wantOf(['shop.test']));
  });
});

describe('an ACME server that does not issue', () => {
  it('is told of with its own words: a name that the role refuses', async () => {
    const opened = acme.open(config);
    expect(await failureOf(fetchNew(opened, wantOf(['evil.example'])))).toMatchObject({
      code: 'CERTIFICATE_REFUSED',
      place: 'secrets.tls.acme',
      seen: expect.stringContaining('will not issue certificate for name evil.example'),
    });
  });

  it('is told of with its own words: a proof that it does not find', async () => {
    const program = join(dir, 'set-nothing');
    writeFileSync(program, '#!/bin/sh\nexit 0\n', { mode: 0o755 });
    const opened = acme.open({ ...config, dns01: dns01(program) });
    expect(await failureOf(fetchNew(opened, wantOf(['unset.shop.test'])))).toMatchObject({
      code: 'CERTIFICATE_REFUSED',
      seen: expect.stringContaining('unset.shop.test'),
    });
  });

  it('is left alone after more than two failures although the agent starts again and again', async () => {
    const starts: string[] = [];
    for (let i = 0; i < 4; i++) {
      const opened = acme.open(config);
      const why = await failureOf(fetchNew(opened, wantOf(['evil.example'])));
      expect(why).toMatchObject({ code: 'CERTIFICATE_REFUSED', seen: expect.stringContaining('evil.example') });
      starts.push(opened.calls().includes('NewOrder') ? 'ordered' : (why.hint ?? ''));
    }
    const orders = join(dir, 'account.key.orders');
    const hint = `Mend what it says. To order at once then, remove ${orders}.`;
    expect(starts).toEqual(['ordered', 'ordered', 'ordered', hint]);
    await fetchNew(acme.open(config), wantOf(['shop.test'])); // another certificate
    rmSync(orders, { recursive: true });
    const opened = acme.open(config);
    await failureOf(fetchNew(opened, wantOf(['evil.example'])));
    expect(opened.calls()).toContain('NewOrder');
  });

  it('says when the program of the DNS records fails, and has it clean up', async () => {
    const program = join(dir, 'fails');
    writeFileSync(
      program,
      `#!/bin/sh\necho "$PANNIER_ACME_ACTION" >> ${dir}/log\n[ $PANNIER_ACME_ACTION = cleanup ] || exit 3\n`,
      { mode: 0o755 },
    );
    const opened = acme.open({ ...config, dns01: dns01(program) });
    expect(await failureOf(fetchNew(opened, wantOf(['shop.test'])))).toMatchObject({
      code: 'ACME_CHALLENGE_FAILED',
      seen: `the record of shop.test was not set: ${program} ended with status 3`,
    });
    expect(log()).toEqual(['present', 'cleanup']);
  });

  it('is not asked again while it wants to be left alone, however long that is', async () => {
    const opened = acme.open(config);
    front.next('new-order', refuse(429, 'rateLimited', 'too many certificates', { 'retry-after': '7200' }));
    const want = wantOf(['limited.shop.test']);
    const why = await failureOf(fetchNew(opened, want));
    expect(why).toMatchObject({ code: 'BACKEND_THROTTLED', seen: `${front.address} says "too many certificates"` });
    const before = front.paths.length;
    const again = await failureOf(fetchNew(opened, want));
    expect(again.seen).toMatch(/says "too many certificates"; the next order is made at 20[\d:T-]+Z$/);
    expect(again.retryAfterMs).toBeGreaterThan(7_000_000);
    expect(front.paths).toHaveLength(before);
  });

  it('that refuses a nonce is asked with another one', async () => {
    const opened = acme.open(config);
    await fetchNew(opened, wantOf(['shop.test']));
    for (let i = 0; i < 3; i++) front.next('new-order', refuse(400, 'badNonce', 'old', { 'replay-nonce': `bad${i}` }));
    await fetchNew(opened, wantOf(['c.shop.test']));
  });

  it('is refused when its certificate lacks its chain, or is of an unknown CA', async () => {
    const ca = join(dir, 'ca.pem');
    writeFileSync(ca, createAuthority('another').certificatePem);
    const opened = acme.open(config);
    expect(await failureOf(fetchNew(opened, wantOf(['shop.test'], { caFile: ca })))).toMatchObject({
      code: 'CERTIFICATE_UNFIT',
      seen: 'the certificate was issued by an unknown CA',
    });
    front.next('/cert', async (response, real) => {
      const pem = await real();
      response.end(pem.slice(0, pem.indexOf('-----END')));
    });
    expect(await failureOf(fetchNew(opened, wantOf(['d.shop.test'])))).toMatchObject({ code: 'CERTIFICATE_UNFIT' });
  });

  it('is told apart from what is no ACME server', async () => {
    const address = `${front.address}/v1/sys/seal-status`;
    expect(await failureOf(fetchNew(acme.open({ ...config, address }), wantOf(['shop.test'])))).toMatchObject({
      code: 'BACKEND_MALFORMED',
      seen: `${address} is no directory of an ACME server`,
    });
  });

  it('is unreachable, and has made nothing', async () => {
    const opened = acme.open({ ...config, address: 'http://127.0.0.1:1/directory' });
    expect(await failureOf(fetchNew(opened, wantOf(['shop.test'])))).toMatchObject({ code: 'BACKEND_UNREACHABLE' });
    expect(existsSync(join(dir, 'account.key'))).toBe(false);
  });

  it('is left alone soon after the agent stops, and the record is removed', async () => {
    const program = join(dir, 'slow');
    writeFileSync(
      program,
      `#!/bin/sh\necho "$PANNIER_ACME_ACTION" >> ${dir}/log\n[ $PANNIER_ACME_ACTION = cleanup ] || sleep 60\n`,
      { mode: 0o755 },
    );
    const opened = acme.open({ ...config, dns01: dns01(program) });
    const stop = new AbortController();
    const failing = failureOf(fetchNew(opened, wantOf(['shop.test']), stop.signal));
    await expect.poll(() => existsSync(join(dir, 'log')) && log()).toEqual(['present']); // it is made empty
    stop.abort();
    expect(await failing).toMatchObject({ code: 'CANCELLED' });
    expect(log()).toEqual(['present', 'cleanup']);
  });
});
