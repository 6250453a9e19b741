import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { Agent, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { findFreePort, noEnvoy, startEnvoy } from '../servers/index.ts';
import { eventually } from './agent.helpers.ts';
import { get } from './observe.helpers.ts';
import { baoOf, useScene, useWorld } from './openbao.helpers.ts';

const world = useWorld();
const scene = useScene();

const REQUESTS = 1_000;
const EVERY_MS = 1_000;

/** An API that takes the newest token and the one before, and counts what else it is sent. */
class Api {
  readonly server: Server;
  readonly valid: string[] = [];
  refused = 0;

  constructor() {
    this.server = createServer(({ headers }, response) => {
      const isValid = this.valid.slice(0, 2).some((token) => headers.authorization === `Bearer ${token}`);
      if (!isValid) this.refused++;
      response.writeHead(isValid ? 200 : 401).end();
    });
  }
}

const open: Server[] = [];
afterEach(() => {
  for (const server of open.splice(0)) server.close().closeAllConnections();
});

/** The Envoy and the agent of examples/envoy, with the addresses of the test. */
async function startExample() {
  const place = await scene.place();
  const [socket, control] = [join(place.dir, 'sds.sock'), join(place.dir, 'api.sock')];
  const ours = parse(readFileSync('examples/envoy/pannier.yaml', 'utf8'));
  delete ours.sds.gid;
  const config = await place.config({
    ...ours,
    backends: { bao: baoOf(world()) },
    sds: { ...ours.sds, socket },
    api: { socket: control },
  });
  const agent = scene.run(config);
  await agent.waitFor('listener-opened', { count: 2 });

  const api = new Api();
  open.push(api.server.listen(0, '127.0.0.1'));
  await once(api.server, 'listening');
  const port = await findFreePort();
  const example = parse(readFileSync('examples/envoy/envoy.yaml', 'utf8'), { maxAliasCount: -1 });
  const [listener] = example.static_resources.listeners;
  listener.address.socket_address = { address: '127.0.0.1', port_value: port };
  const [upstream, agents] = example.static_resources.clusters;
  delete upstream.transport_socket;
  const address = { address: '127.0.0.1', port_value: (api.server.address() as AddressInfo).port };
  upstream.load_assignment.endpoints[0].lb_endpoints[0].endpoint.address.socket_address = address;
  agents.load_assignment.endpoints[0].lb_endpoints[0].endpoint.address.pipe.path = socket;
  const envoy = scene.keep(await startEnvoy({ listeners: [listener], clusters: [upstream, agents] }));

  const { data } = await world().bao.api<Record<'certificate' | 'private_key', string>>('POST', 'pki/issue/shop', {
    common_name: 'client.shop.svc',
  });
  const client = new Agent({ keepAlive: true, maxSockets: 4, cert: data.certificate, key: data.private_key });
  const ask = (headers: Readonly<Record<string, string>> = {}): Promise<number> =>
    new Promise((resolve, reject) => {
      const to = { host: '127.0.0.1', port, path: '/', servername: 'shop.svc', rejectUnauthorized: false };
      const sent = request({ ...to, agent: client, headers }, (answer) => {
        answer.resume().once('end', () => resolve(answer.statusCode ?? 0));
      });
      sent.once('error', reject);
      sent.end();
    });
  scene.keep({ [Symbol.asyncDispose]: async () => client.destroy() });
  return { agent, api, ask, envoy, control };
}

describe.skipIf(noEnvoy !== undefined)('an application behind examples/envoy', { timeout: 60_000 }, () => {
  it('sends no credential, and none of its requests is refused while the credential rotates each second', async () => {
    const { api, ask, control } = await startExample();
    let serial = 0;
    const rotate = async () => {
      const token = `token-${++serial}`;
      api.valid.unshift(token);
      await world().putSecret('app', { token });
      await get(control, '/v1/secrets/app/refresh', {}, 'POST');
    };
    await rotate();
    await eventually(async () => expect(await ask()).toBe(200));
    api.refused = 0;
    const statuses = new Map<number, number>();
    let rotated = performance.now();
    const begun = performance.now();
    for (let i = 0; i < REQUESTS; i++) {
      if (performance.now() - rotated > EVERY_MS) {
        rotated = performance.now();
        await rotate();
      }
      const status = await ask(i % 10 === 0 ? { authorization: 'Bearer of-the-application' } : {});
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      // A thousand requests over five seconds, on a fast machine too.
      const ahead = begun + (i * 5_000) / REQUESTS - performance.now();
      if (ahead > 0) await new Promise((resolve) => setTimeout(resolve, ahead));
    }
    expect(Object.fromEntries(statuses)).toEqual({ 200: REQUESTS });
    expect(api.refused).toBe(0);
    expect(serial).toBeGreaterThan(3);
  });

  it('gets through with no request while there is no credential', async () => {
    await world().bao.api('DELETE', 'secret/metadata/shop/app');
    const { api, ask, control } = await startExample();
    const first = await eventually(async () => await ask());
    expect(first).toBe(401);
    expect(await ask({ authorization: 'Bearer of-the-application' })).toBe(401);
    expect(api.refused).toBe(0); // it was Envoy that refused them
    api.valid.unshift('late');
    await world().putSecret('app', { token: 'late' });
    await get(control, '/v1/secrets/app/refresh', {}, 'POST');
    await eventually(async () => expect(await ask()).toBe(200));
  });
});
