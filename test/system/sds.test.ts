import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import * as grpc from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { createClient, genericText } from '../deliver/sds/sds.helpers.ts';
import { createAuthority, findFreePort, noEnvoy, startEnvoy } from '../servers/index.ts';
import { type Agent, eventually, type Place } from './agent.helpers.ts';
import { get } from './observe.helpers.ts';
import { baoOf, useScene, useWorld } from './openbao.helpers.ts';
import {
  type ApiType,
  agentCluster,
  onDemandSelector,
  rotate,
  sdsConfig,
  shakeHands,
  tlsListener,
} from './sds.helpers.ts';

const world = useWorld();
const scene = useScene();

const tls = { certificate: { issuer: 'pki', role: 'shop', commonName: 'shop.svc', ttl: '1h' } };

interface Started {
  readonly agent: Agent;
  readonly place: Place;
  readonly socket: string;
  readonly api: string;
  readonly configure: (sds: object, secrets?: object) => Promise<string>;
}

/** An agent with this section `sds` on a socket, beside an API. */
async function startAgent(sds: object, secrets: object = { tls }): Promise<Started> {
  const place = await scene.place();
  const [socket, api] = [join(place.dir, 'sds.sock'), join(place.dir, 'api.sock')];
  const configure: Started['configure'] = (section, named = secrets) =>
    place.config({
      backends: { bao: baoOf(world()) },
      secrets: named,
      sds: { socket, ...section },
      api: { socket: api },
      log: { level: 'debug' },
    });
  const agent = scene.run(await configure(sds));
  await agent.waitFor('listener-opened', { count: 2 });
  return { agent, place, socket, api, configure };
}

const asked = (name: string, apiType: ApiType = 'DELTA_GRPC') => ({ name, sds_config: sdsConfig(apiType) });
const served = (name: string, apiType?: ApiType) => ({ tls_certificate_sds_secret_configs: [asked(name, apiType)] });

async function envoyWith(socket: string, ...listeners: object[]) {
  return scene.keep(await startEnvoy({ clusters: [agentCluster(socket)], listeners }));
}

interface SdsStatus {
  readonly streams: number;
  readonly onDemand?: { readonly names: number };
  readonly secrets: readonly {
    readonly name: string;
    readonly state: string;
    readonly failure?: { readonly code: string; readonly seen: string };
    readonly refused?: { readonly seen: string; readonly node: string };
  }[];
}

async function statusOf(api: string): Promise<SdsStatus> {
  return (JSON.parse((await get(api, '/v1/status')).body) as { sds: SdsStatus }).sds;
}

describe.skipIf(noEnvoy !== undefined)('Envoy with its secrets from the agent', { timeout: 60_000 }, () => {
  it.each<ApiType>(['GRPC', 'DELTA_GRPC'])(
    'lets in clients of the CA that is in the trust bundle, and none of another (%s)',
    async (apiType) => {
      const { socket } = await startAgent({
        secrets: { server_cert: 'tls', clients: { trust: 'tls', match: [{ dns: '.svc', by: 'suffix' }] } },
      });
      const port = await findFreePort();
      const context = {
        ...served('server_cert', apiType),
        validation_context_sds_secret_config: asked('clients', apiType),
      };
      const downstream = { require_client_certificate: true };
      await envoyWith(socket, tlsListener({ port, tls: context, downstream }));

      const issue = (name: string) =>
        world().bao.api<Record<'certificate' | 'private_key' | 'issuing_ca', string>>('POST', 'pki/issue/shop', {
          common_name: name,
        });
      const { data: ours } = await issue('client.shop.svc');
      const own = { cert: ours.certificate, key: ours.private_key };
      const done = await eventually(() => shakeHands(port, { ...own, ca: ours.issuing_ca }));
      expect(done).toMatchObject({ authorized: true });

      const foreign = createAuthority('another CA').issue({ commonName: 'client', altNames: ['client.shop.svc'] });
      await expect(shakeHands(port, { cert: foreign.certificatePem, key: foreign.keyPem })).rejects.toThrow(
        /unknown ca|closed/i,
      );
      await expect(shakeHands(port)).rejects.toThrow(/certificate required|closed/i);
    },
  );

  it('reads every member of a secret as it was written', async () => {
    const { data: ca } = await world().bao.api<{ certificate: string }>('GET', 'pki/cert/ca');
    const { data: list } = await world().bao.api<{ certificate: string }>('GET', 'pki/cert/crl');
    await world().putSecret('ca', { bundle: ca.certificate, crl: list.certificate });
    await world().putSecret('app', { user: 'ann', token: 't-4711' });
    const match = [
      { dns: 'a.svc' },
      { uri: 'spiffe://x/', by: 'prefix' },
      { email: '@x', by: 'suffix' },
      { ip: '10.', by: 'contains' },
    ];
    const clients = { trust: 'ca.bundle', crl: 'ca.crl', crlOfLeafOnly: true, maxDepth: 2, match };
    const { agent, socket } = await startAgent(
      { secrets: { server_cert: 'tls', clients, tickets: { sessionTickets: { keep: 2 } } } },
      { tls, ca: { kv: 'secret/shop/ca' }, app: { kv: 'secret/shop/app' } },
    );
    const port = await findFreePort();
    const context = { ...served('server_cert'), validation_context_sds_secret_config: asked('clients') };
    const downstream = { session_ticket_keys_sds_secret_config: asked('tickets') };
    const envoy = await envoyWith(socket, tlsListener({ port, tls: context, downstream }));
    const secrets = await eventually(async () => {
      const dump = JSON.parse(await envoy.admin('/config_dump?resource=dynamic_active_secrets'));
      const configs = dump.configs as readonly { readonly name: string; readonly secret: object }[];
      const found = new Map(configs.map((one) => [one.name, one.secret]));
      expect([...found.keys()].sort()).toEqual(['clients', 'server_cert', 'tickets']);
      return found;
    });
    expect(secrets.get('clients')).toMatchObject({
      validation_context: {
        trusted_ca: { inline_bytes: expect.any(String) },
        crl: { inline_bytes: expect.any(String) },
        only_verify_leaf_cert_crl: true,
        max_verify_depth: 2,
        match_typed_subject_alt_names: [
          { san_type: 'DNS', matcher: { exact: 'a.svc' } },
          { san_type: 'URI', matcher: { prefix: 'spiffe://x/' } },
          { san_type: 'EMAIL', matcher: { suffix: '@x' } },
          { san_type: 'IP_ADDRESS', matcher: { contains: '10.' } },
        ],
      },
    });
    expect(secrets.get('tickets')).toMatchObject({ session_ticket_keys: { keys: [{}] } });
    expect(agent.facts('sds-refused')).toEqual([]);
  });

  it('gets certificates by the name in the hello of a client, each issued once, and no others', async () => {
    // Without a certificate among the secrets, as in docs/sds.md.
    const onDemand = { match: '*.shop.svc', certificate: { issuer: 'pki', role: 'shop', ttl: '1h' } };
    const { agent, socket, api } = await startAgent({ onDemand }, {});
    const port = await findFreePort();
    const downstream = { disable_stateless_session_resumption: true, disable_stateful_session_resumption: true };
    const selector = onDemandSelector(sdsConfig('DELTA_GRPC'));
    await envoyWith(socket, tlsListener({ port, tls: selector, downstream }));

    const names = Array.from({ length: 100 }, (_, i) => `s${i}.shop.svc`);
    const first = await Promise.all(names.map((servername) => shakeHands(port, { servername })));
    expect(first.map(({ certificate }) => certificate.subject)).toEqual(names.map((name) => `CN=${name}`));
    const again = await Promise.all(names.map((servername) => shakeHands(port, { servername })));
    expect(again.map(({ serial }) => serial)).toEqual(first.map(({ serial }) => serial));
    expect(await statusOf(api)).toMatchObject({ onDemand: { names: 100 } });

    // Neither a name outside the pattern nor one that the role refuses holds a handshake up.
    await expect(shakeHands(port, { servername: 'shop.example' })).rejects.toThrow();
    await expect(shakeHands(port, { servername: 'a.b.shop.svc' })).rejects.toThrow();
    expect(agent.facts('sds-unknown').map(({ name }) => name)).toEqual(['shop.example', 'a.b.shop.svc']);
    const issued = agent.facts('secret-changed').filter(({ secrets }) => String(secrets).startsWith('sds '));
    expect(issued.length).toBe(100);
  });

  it('ends a handshake at once for a name that the role refuses, and asks again later', async () => {
    const { agent, socket } = await startAgent({
      onDemand: { match: '*.example', certificate: { issuer: 'pki', role: 'shop', ttl: '1h' } },
    });
    const port = await findFreePort();
    const downstream = { disable_stateless_session_resumption: true, disable_stateful_session_resumption: true };
    await envoyWith(socket, tlsListener({ port, tls: onDemandSelector(sdsConfig('DELTA_GRPC')), downstream }));
    for (let times = 0; times < 3; times++) {
      await expect(shakeHands(port, { servername: 'shop.example' })).rejects.toThrow();
    }
    expect(agent.facts('secret-failed').length).toBe(1);
  });

  it('refuses what it cannot use, and its words are in the log and in the status', async () => {
    const { agent, socket, api } = await startAgent({
      secrets: { server_cert: 'tls', api_token: { generic: 'tls.serialNumber' } },
    });
    const [good, bad] = [await findFreePort(), await findFreePort()];
    await envoyWith(
      socket,
      tlsListener({ port: good, tls: served('server_cert') }),
      tlsListener({ port: bad, name: 'bad', tls: served('api_token') }),
    );
    const refused = await agent.waitFor('sds-refused');
    expect(refused).toMatchObject({ code: 'SDS_REFUSED', place: 'sds.secrets.api_token', names: ['api_token'] });
    expect(refused['seen']).toMatch(/the client says: \w/);
    await eventually(() => shakeHands(good));
    const { secrets } = await statusOf(api);
    expect(secrets.find(({ name }) => name === 'api_token')?.refused).toMatchObject({ node: 'envoy-test' });
    expect(secrets.find(({ name }) => name === 'server_cert')?.refused).toBeUndefined();
    await rotate(api);
    expect(agent.facts('sds-refused').length).toBeLessThanOrEqual(2); // no loop
  });

  it('goes on with what it has while the agent is down, and gets no equal secret again from the next one', async () => {
    const { agent, socket, api, configure } = await startAgent({ secrets: { server_cert: 'tls' } });
    const port = await findFreePort();
    await envoyWith(socket, tlsListener({ port, tls: served('server_cert') }));
    const { serial } = await eventually(() => shakeHands(port));
    await agent.stop();
    expect((await shakeHands(port)).serial).toBe(serial);
    const next = scene.run(await configure({ secrets: { server_cert: 'tls' } }));
    await next.waitFor('sds-accepted');
    const newest = await rotate(api);
    await eventually(async () => expect((await shakeHands(port)).serial).toBe(newest));
  });

  it('finds the socket again after somebody removed it', async () => {
    const { agent, socket, api } = await startAgent({ secrets: { server_cert: 'tls' } });
    await rm(socket);
    const port = await findFreePort();
    await envoyWith(socket, tlsListener({ port, tls: served('server_cert') }));
    const { serial } = await eventually(() => shakeHands(port));
    await rm(socket);
    const newest = await rotate(api); // over the connection that is open
    expect(newest).not.toBe(serial);
    await eventually(async () => expect((await shakeHands(port)).serial).toBe(newest));
    expect(agent.facts('agent-warning')).toEqual([]);
  });

  it('is told of names that a new configuration adds, on the streams that are open', async () => {
    const { agent, socket, configure } = await startAgent({ secrets: { other: 'tls' } });
    const port = await findFreePort();
    await envoyWith(socket, tlsListener({ port, tls: served('server_cert') }));
    await agent.waitFor('sds-unknown');
    await expect(shakeHands(port)).rejects.toThrow();
    await configure({ secrets: { server_cert: 'tls' } });
    agent.kill('SIGHUP');
    await agent.waitFor('config-applied');
    expect((await eventually(() => shakeHands(port))).certificate.subject).toBe('CN=shop.svc');
    await configure({ secrets: { other: 'tls' } });
    agent.kill('SIGHUP');
    await agent.waitFor('config-applied', { count: 2 });
    // Envoy keeps what it has: a name that is gone takes no listener down.
    await shakeHands(port);
  });

  it('keeps a certificate of a KV secret that is deleted or spoilt at the backend', async () => {
    const pair = createAuthority('own CA').issue({ commonName: 'shop', altNames: ['shop.svc'] });
    await world().putSecret('pair', { certificate: pair.certificatePem, privateKey: pair.keyPem });
    const { agent, socket, api } = await startAgent(
      { secrets: { server_cert: 'pair' } },
      { pair: { kv: 'secret/shop/pair' } },
    );
    const port = await findFreePort();
    await envoyWith(socket, tlsListener({ port, tls: served('server_cert') }));
    const { serial } = await eventually(() => shakeHands(port));

    const other = createAuthority('own CA').issue({ commonName: 'shop' });
    await world().putSecret('pair', { certificate: pair.certificatePem, privateKey: other.keyPem });
    await get(api, '/v1/secrets/pair/refresh', {}, 'POST');
    const unusable = await agent.waitFor('sds-unusable');
    expect(unusable['seen']).toBe('the private key of pair does not belong to its certificate');
    expect((await shakeHands(port)).serial).toBe(serial);
    await world().bao.api('DELETE', 'secret/data/shop/pair');
    await get(api, '/v1/secrets/pair/refresh', {}, 'POST');
    expect((await shakeHands(port)).serial).toBe(serial);
    expect((await statusOf(api)).secrets).toMatchObject([{ name: 'server_cert', state: 'ready' }]);
  });

  it('resumes sessions by tickets over rotations of their keys, and only with keys of the agent', async () => {
    const { socket } = await startAgent({
      secrets: { server_cert: 'tls', tickets: { sessionTickets: { rotate: '2s', keep: 3 } } },
    });
    const ports = [await findFreePort(), await findFreePort()];
    const downstream = { session_ticket_keys_sds_secret_config: asked('tickets') };
    await envoyWith(
      socket,
      ...ports.map((port, i) => tlsListener({ port, name: `t${i}`, tls: served('server_cert'), downstream })),
    );
    await eventually(() => shakeHands(ports[1] as number));
    const session = await eventually(() => sessionOf(ports[0] as number));
    expect(await resumes(ports[0] as number, session)).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect(await resumes(ports[0] as number, session)).toBe(true);
    await eventually(async () => expect(await resumes(ports[0] as number, session)).toBe(false));
  });

  it('writes no value to the log, whatever the libraries are told to trace', async () => {
    const marker = 'never-in-a-log-4711';
    await world().putSecret('marked', { token: marker });
    const place = await scene.place();
    const token = join(place.dir, 'token');
    await writeFile(token, 'token-of-the-listener-0815', { mode: 0o600 });
    const port = await findFreePort();
    const path = await place.config({
      backends: { bao: baoOf(world()) },
      secrets: { marked: { kv: 'secret/shop/marked' } },
      sds: { listen: `127.0.0.1:${port}`, tokenFile: token, secrets: { api_token: { generic: 'marked.token' } } },
      log: { level: 'trace' },
    });
    const env = { GRPC_TRACE: 'all', GRPC_VERBOSITY: 'DEBUG', NODE_DEBUG: 'http2,net', DEBUG: '*' };
    const agent = scene.run(path, { env });
    await agent.waitFor('listener-opened');
    const ask = (headers: Readonly<Record<string, string>>) =>
      fetch(`http://127.0.0.1:${port}/v3/discovery:secrets`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ resource_names: ['api_token'] }),
      });
    expect((await ask({})).status).toBe(403);
    const text = await eventually(async () => {
      const body = await (await ask({ 'x-pannier-token': 'token-of-the-listener-0815' })).text();
      expect(body).toContain('genericSecret');
      return body;
    });
    expect(text).toContain(Buffer.from(marker).toString('base64'));
    const metadata = new grpc.Metadata();
    metadata.set('x-pannier-token', 'token-of-the-listener-0815');
    const { secrets } = await createClient(`127.0.0.1:${port}`).fetch({ names: ['api_token'] }, metadata);
    expect(genericText(secrets.get('api_token'))).toBe(marker);
    for (const hidden of [marker, Buffer.from(marker).toString('base64'), 'token-of-the-listener-0815']) {
      expect(agent.output()).not.toContain(hidden);
    }
  });
});

/** The session of a TLS 1.2 handshake, whose ticket the server made. */
function sessionOf(port: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connectTo(port, { maxVersion: 'TLSv1.2' }, reject);
    socket.once('session', (session) => {
      socket.end();
      resolve(session);
    });
    socket.once('close', () => reject(new Error('no ticket')));
  });
}

function resumes(port: number, session: Buffer): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connectTo(port, { maxVersion: 'TLSv1.2', session }, reject);
    socket.once('secureConnect', () => {
      socket.end();
      resolve(socket.isSessionReused());
    });
  });
}

function connectTo(port: number, options: ConnectionOptions, failed: (error: Error) => void): TLSSocket {
  const where = { port, host: '127.0.0.1', servername: 'shop.svc', rejectUnauthorized: false };
  return connect({ ...where, ...options }).once('error', failed);
}
