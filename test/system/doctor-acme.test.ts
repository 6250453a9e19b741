import { existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dnsProgram } from '../backend/acme/acme.helpers.ts';
import { type DnsServer, enableAcme, enablePki, type OpenBao, startDns, startOpenBao } from '../servers/index.ts';
import { runAgent } from './agent.helpers.ts';
import { useScene } from './openbao.helpers.ts';

const scene = useScene();
let bao: OpenBao;
let dns: DnsServer;
let taken: Server;
beforeAll(async () => {
  [bao, dns] = await Promise.all([startOpenBao(), startDns()]);
  await enablePki(bao, { role: 'shop', allowedDomains: ['shop.test'], maxTtl: '1h' });
  await enablePki(bao, { mount: 'other', role: 'shop', allowedDomains: ['shop.test'] });
  await enableAcme(bao, { resolver: dns.address });
  taken = createServer().listen(0, '127.0.0.1');
  await new Promise((done) => taken.once('listening', done));
});
afterAll(async () => {
  taken.close();
  await dns[Symbol.asyncDispose]();
  await bao.stop();
});

interface Check {
  readonly check: string;
  readonly place: string;
  readonly state: string;
  readonly seen: string;
  readonly code?: string;
  readonly hint?: string;
}

async function setUp(backend: object = {}, acme: object = { names: ['shop.test', '*.shop.test'] }) {
  const place = await scene.place();
  const program = dnsProgram(dns, place.dir);
  const config = await place.config({
    backends: {
      ca: {
        kind: 'acme',
        directory: `${bao.address}/v1/pki/roles/shop/acme/directory`,
        accountKeyFile: './account.key',
        dns01: { command: { argv: [program] } },
        ...backend,
      },
    },
    secrets: { tls: { acme } },
    outputs: { shop: { dir: './out', files: { 'tls.pem': { format: 'pem', from: 'tls' } } } },
  });
  const examine = async () => {
    const agent = await runAgent(['doctor', '-c', config, '--json']);
    const checks = JSON.parse(agent.stdout()) as readonly Check[];
    const of = (check: string) => checks.find((one) => one.check === check);
    return { status: agent.status, of, failures: checks.filter(({ state }) => state === 'failure') };
  };
  return { place, config, examine };
}

const issued = async () => (await bao.api<{ keys: string[] }>('GET', 'pki/certs?list=true')).data.keys.length;

describe('pannier doctor on an issuer that speaks ACME', () => {
  it('finds nothing wrong, and makes neither key nor account nor order', async () => {
    const { place, config, examine } = await setUp();
    const before = await issued();
    const first = await examine();
    expect([first.status, first.failures]).toEqual([0, []]);
    expect(first.of('directory')?.seen).toContain('it is an ACME server');
    expect(first.of('account')?.seen).toContain('the first order makes key and account');
    expect(first.of('dns-01')?.seen).toContain('set-record can be started');
    expect(first.of('secret')?.seen).toBe('2 names can be ordered; no order is made');
    expect([existsSync(join(place.dir, 'account.key')), existsSync(join(place.dir, 'log'))]).toEqual([false, false]);
    expect(await issued()).toBe(before);

    expect((await scene.init(config)).status).toBe(0);
    const log = readFileSync(join(place.dir, 'log'), 'utf8');
    expect((await examine()).of('account')?.seen).toBe('the issuer knows the account, and has not deactivated it');
    expect([await issued(), readFileSync(join(place.dir, 'log'), 'utf8')]).toEqual([before + 1, log]);
  });

  it.each<[string, string, () => [backend: object, acme?: object], Partial<Check>]>([
    [
      'what is no ACME server',
      'directory',
      () => [{ directory: `${bao.address}/v1/sys/health` }],
      { code: 'BACKEND_MALFORMED', hint: expect.stringContaining('Check that directory is') },
    ],
    [
      'a mount that keeps Replay-Nonce to itself',
      'directory',
      () => [{ directory: `${bao.address}/v1/other/roles/shop/acme/directory` }],
      {},
    ],
    [
      'a port that another program has',
      'http-01',
      () => [{ http01: { listen: `127.0.0.1:${(taken.address() as AddressInfo).port}` } }],
      { code: 'ACME_CHALLENGE_FAILED' },
    ],
    [
      'a program that is not there',
      'dns-01',
      () => [{ dns01: { command: { argv: ['./none'] } } }],
      { code: 'ACME_CHALLENGE_FAILED' },
    ],
    [
      'a key that cannot be made',
      'account',
      () => [{ accountKeyFile: './none/account.key' }],
      {
        code: 'AUTH_CREDENTIAL_UNREADABLE',
        seen: expect.stringMatching(/cannot be made in \S+none: it does not exist$/),
      },
    ],
    [
      'a CA file that is not there',
      'secret',
      () => [{}, { names: ['shop.test'], ca: './none.pem' }],
      { code: 'CERTIFICATE_CA_UNREADABLE' },
    ],
  ])('tells of %s', async (_, check, of, expected) => {
    const { examine } = await setUp(...of());
    const found = await examine();
    expect(found.of(check)).toMatchObject({ state: 'failure', ...expected });
    expect(found.status).not.toBe(0);
  });

  it('tells why nothing can be kept beside the key', async () => {
    const none = await (await setUp({ accountKeyFile: './none/account.key' })).examine();
    expect(none.of('orders')).toMatchObject({ state: 'warning', code: 'STATE_NOT_WRITABLE' });
    expect(none.of('orders')?.seen).toMatch(/in \S+none: it does not exist$/);
    const { place, examine } = await setUp();
    writeFileSync(join(place.dir, 'account.key.orders'), '');
    expect((await examine()).of('orders')).toMatchObject({
      code: 'STATE_NOT_WRITABLE',
      seen: expect.stringMatching(/account\.key\.orders: it is not a directory$/),
    });
  });

  it('tells of a key that is a symlink to nothing as the start does, which makes none in its place', async () => {
    const { place, config, examine } = await setUp();
    const file = join(place.dir, 'account.key');
    symlinkSync('none', file);
    const seen = `${file} is a symlink to what does not exist`;
    expect((await examine()).of('account')).toMatchObject({ code: 'AUTH_CREDENTIAL_UNREADABLE', seen });
    const start = await scene.init(config);
    expect([start.status, start.stderr()]).toEqual([4, expect.stringContaining(seen)]);
  });
});
