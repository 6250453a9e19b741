import { createPrivateKey, X509Certificate } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, renameSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createAuthority } from '../servers/index.ts';
import { useScene, useWorld } from './openbao.helpers.ts';

const authority = createAuthority('test root');
const world = useWorld();
const scene = useScene();

/** The serial numbers of all certificates that the mount has issued; its CA is one of them. */
async function issued(): Promise<readonly string[]> {
  const { data } = await world().bao.api<{ keys: string[] }>('GET', 'pki/certs?list=true');
  return data.keys;
}

interface Options {
  readonly certificate?: object;
  readonly files?: object;
  readonly unrelated?: string;
  readonly backend?: object;
}

async function setUp() {
  const place = await scene.place();
  const app = await scene.application(place.dir);
  const dir = join(place.dir, 'out');
  const config = ({ certificate = {}, files, unrelated = '5m', backend = {} }: Options = {}) =>
    place.config({
      log: { level: 'debug' },
      backends: {
        bao: {
          kind: 'vault',
          address: world().bao.address,
          auth: { method: 'kubernetes', role: 'shop', tokenFile: world().tokenFile },
          ...backend,
        },
      },
      secrets: {
        store: { kv: 'secret/shop/store' },
        tls: {
          certificate: { issuer: 'pki', role: 'shop', commonName: 'shop.svc', ttl: '24h', ...certificate },
          refresh: unrelated,
        },
      },
      outputs: {
        shop: {
          dir,
          files: files ?? {
            'tls.crt': { content: '{{tls.certificate}}\n' },
            'tls.key': { content: '{{tls.privateKey}}\n' },
          },
          reload: [{ signal: { name: 'SIGHUP', pidFile: app.pidFile } }],
        },
      },
    });
  const file = (name: string) => join(dir, name);
  return { dir, config, file, app, serial: () => new X509Certificate(readFileSync(file('tls.crt'))).serialNumber };
}

describe('a published certificate', () => {
  it('is kept over thirty restarts: nothing is issued, written or reloaded', { timeout: 120_000 }, async () => {
    const { config, file, serial, app } = await setUp();
    const path = await config();
    expect((await scene.init(path)).status).toBe(0);
    const before = await issued();
    const first = serial();
    const published = statSync(file('tls.crt')).ino;
    for (let i = 0; i < 15; i++) {
      expect((await scene.init(path)).status).toBe(0);
      const agent = scene.run(path);
      await agent.waitFor('output-unchanged');
      expect(agent.facts('secret-kept')).toMatchObject([{ secrets: ['tls'], life: 'certificate' }]);
      expect(await agent.stop()).toBe(0);
    }
    expect(await issued()).toEqual(before);
    expect([serial(), statSync(file('tls.crt')).ino, app.reloads()]).toEqual([first, published, 0]);
  });

  it('is issued anew at a restart that asks for other names, and only once', async () => {
    const { config, serial } = await setUp();
    expect((await scene.init(await config())).status).toBe(0);
    const first = serial();
    const before = (await issued()).length;
    const other = await config({ certificate: { altNames: ['api.shop.svc'] } });
    for (let i = 0; i < 3; i++) expect((await scene.init(other)).status).toBe(0);
    expect(serial()).not.toBe(first);
    expect(await issued()).toHaveLength(before + 1);
  });

  it('is kept when only its upkeep or another key changes, also while the agent runs', async () => {
    const { config, serial } = await setUp();
    expect((await scene.init(await config())).status).toBe(0);
    const first = serial();
    const agent = scene.run(await config({ certificate: { renewBefore: '1h' }, unrelated: '7m' }));
    await agent.waitFor('output-unchanged');
    await config({ certificate: { renewBefore: '2h', renewAt: 'Sun 02:00-04:00' } });
    agent.kill('SIGHUP');
    await agent.waitFor('config-applied', { count: 1 });
    // The backend is opened anew, and its secrets are fetched again.
    await config({ backend: { timeout: '11s' } });
    agent.kill('SIGHUP');
    await agent.waitFor('secret-kept', { count: 2 });
    expect(serial()).toBe(first);
    expect(agent.facts('secret-changed')).toEqual([]);
  });

  it('whose key is made here is kept as well, and no key ever reaches the server', async () => {
    const { config, file, serial } = await setUp();
    const path = await config({ certificate: { key: { local: 'ec' } } });
    await world().bao.api('PUT', 'sys/policies/acl/shop', { policy: SIGNER });
    expect((await scene.init(path)).status).toBe(0);
    const [first, before] = [serial(), await issued()];
    const pair = [file('tls.crt'), file('tls.key')].map((name) => readFileSync(name, 'utf8')) as [string, string];
    expect(new X509Certificate(pair[0]).checkPrivateKey(createPrivateKey(pair[1]))).toBe(true);
    const again = await scene.init(path);
    expect([again.status, serial()]).toEqual([0, first]);
    expect(await issued()).toEqual(before);
    expect(again.output()).not.toContain('PRIVATE KEY');
  });

  it.each<[string, (kept: string) => void]>([
    ['is readable by others', (kept) => chmodSync(kept, 0o644)],
    ['is malformed', (kept) => writeFileSync(kept, '{"format":1,"certificates":[{"id":7}]} CANARY')],
    [
      'holds the key of another certificate',
      (kept) => writeFileSync(kept, readFileSync(kept, 'utf8').replace(/"privateKey":"[^"]*"/, '"privateKey":"x"')),
    ],
    [
      'is a link',
      (kept) => {
        renameSync(kept, `${kept}-elsewhere`);
        symlinkSync(`${kept}-elsewhere`, kept);
      },
    ],
  ])('is issued anew when what was kept %s', async (_, spoil) => {
    const { config, file, serial } = await setUp();
    const path = await config();
    expect((await scene.init(path)).status).toBe(0);
    const first = serial();
    spoil(file('..kept'));
    const agent = await scene.init(path);
    expect([agent.status, serial() === first]).toEqual([0, false]);
    expect(agent.output()).not.toContain('CANARY');
    expect(statSync(file('..kept')).mode & 0o777).toBe(0o600);
  });

  it.each([
    ['another form of PEM', { format: 'pem', from: ['tls'], parts: ['key', 'fullchain'], keyFormat: 'pkcs8' }],
    ['an encrypted keystore', { format: 'pkcs12', from: ['tls'], password: 'store.password' }],
  ])('is kept as well when its key is published in %s', async (_, key) => {
    await world().putSecret('store', { password: 'changeit' });
    const { config, file, app } = await setUp();
    const path = await config({ files: { key, 'tls.crt': { content: '{{tls.certificate}}\n' } } });
    expect((await scene.init(path)).status).toBe(0);
    const before = await issued();
    const bytes = readFileSync(file('key'));
    for (let i = 0; i < 2; i++) expect((await scene.init(path)).status).toBe(0);
    expect(await issued()).toEqual(before);
    expect([readFileSync(file('key')).equals(bytes), app.reloads()]).toEqual([true, 0]);
  });

  it('leaves no key behind where none is published, nor when it is no longer published', async () => {
    const { config, file } = await setUp();
    const publicOnly = { 'tls.crt': { content: '{{tls.certificate}}\n' } };
    expect((await scene.init(await config({ files: publicOnly }))).status).toBe(0);
    expect(existsSync(file('..kept'))).toBe(false);
    expect((await scene.init(await config())).status).toBe(0);
    expect(existsSync(file('..kept'))).toBe(true);
    expect((await scene.init(await config({ files: publicOnly }))).status).toBe(0);
    expect(existsSync(file('..kept'))).toBe(false);
  });
});

describe('two hundred certificates', () => {
  it('are published together, each with its own key, and a restart issues none of them', async () => {
    const place = await scene.place();
    const names = Array.from({ length: 200 }, (_, i) => `c${i}`);
    const config = await place.config({
      log: { level: 'debug' },
      backends: {
        bao: {
          kind: 'vault',
          address: world().bao.address,
          auth: { method: 'kubernetes', role: 'shop', tokenFile: world().tokenFile },
        },
      },
      secrets: Object.fromEntries(
        names.map((name) => [name, { certificate: { issuer: 'pki', role: 'shop', commonName: `${name}.shop.svc` } }]),
      ),
      outputs: {
        all: {
          dir: './out',
          files: Object.fromEntries(
            names.map((name) => [`${name}.pem`, { content: `{{pem ${name}.certificate ${name}.privateKey}}\n` }]),
          ),
        },
      },
    });
    const before = (await issued()).length;
    expect((await scene.init(config, '60s')).status).toBe(0);
    expect(await issued()).toHaveLength(before + 200);
    const serials = names.map((name) => {
      const pem = readFileSync(join(place.dir, `out/${name}.pem`));
      const x509 = new X509Certificate(pem);
      expect([x509.checkPrivateKey(createPrivateKey(pem)), x509.subjectAltName]).toEqual([
        true,
        `DNS:${name}.shop.svc`,
      ]);
      return x509.serialNumber;
    });
    expect(new Set(serials).size).toBe(200);
    expect((await scene.init(config, '60s')).status).toBe(0);
    expect(await issued()).toHaveLength(before + 200);
  });
});

describe('a certificate that does not fit together', () => {
  it('is never published: the last good one stays, and its secret is stale with the reason', async () => {
    const place = await scene.place();
    const [one, other] = ['one', 'other'].map((name) => authority.issue({ commonName: name }));
    const store = join(place.dir, 'store.json');
    const put = (crt = '', key = '') => {
      writeFileSync(`${store}_`, JSON.stringify({ tls: { crt, key } }));
      renameSync(`${store}_`, store);
    };
    put(one?.certificatePem, one?.keyPem);
    const agent = scene.run(
      await place.config({
        log: { level: 'debug' },
        backends: { disk: { kind: 'file', path: store } },
        secrets: { tls: { key: 'tls', certificateFrom: { certificate: 'crt', privateKey: 'key' } } },
        outputs: {
          shop: { dir: './out', files: { 'tls.pem': { content: '{{tls.certificate}}\n{{tls.privateKey}}\n' } } },
        },
      }),
    );
    await agent.waitFor('output-published');
    const good = readFileSync(join(place.dir, 'out/tls.pem'), 'utf8');
    expect(good).toBe(`${one?.certificatePem}${one?.keyPem}`);
    put(other?.certificatePem, one?.keyPem);
    const failed = await agent.waitFor('secret-failed');
    expect(failed).toMatchObject({ code: 'CERTIFICATE_UNFIT', secrets: ['tls'] });
    expect(readFileSync(join(place.dir, 'out/tls.pem'), 'utf8')).toBe(good);
    put(other?.certificatePem, other?.keyPem);
    await agent.waitFor('output-published', { count: 2 });
    expect(readFileSync(join(place.dir, 'out/tls.pem'), 'utf8')).toContain(other?.certificatePem);
    expect(agent.output()).not.toContain('PRIVATE KEY');
  });
});

const SIGNER = ['pki/issue/*', 'pki/sign/*', 'secret/data/shop/*']
  .map((path) => `path "${path}" { capabilities = ["create", "update", "read"] }`)
  .join('\n');
