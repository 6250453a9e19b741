import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { findFreePort, noEnvoy, startEnvoy } from '../servers/index.ts';
import { eventually } from './agent.helpers.ts';
import { baoOf, useScene, useWorld } from './openbao.helpers.ts';
import { type ApiType, agentCluster, rotate, sdsConfig, shakeHands, tlsListener, underLoad } from './sds.helpers.ts';

const world = useWorld();
const scene = useScene();

const ROUNDS = 4;
const EVERY_MS = 2_000;

const certificate = { issuer: 'pki', role: 'shop', commonName: 'shop.svc', ttl: '1h' };

/** Rotates under load, and expects that no handshake fails and that each certificate is served. */
async function rotateUnderLoad(api: string, port: number): Promise<void> {
  await using load = underLoad(port);
  for (let round = 0; round < ROUNDS; round++) {
    await pause(EVERY_MS);
    const serial = await rotate(api);
    await eventually(() => expect([...load.serials].at(-1)).toBe(serial));
  }
  await load.stop();
  expect(load.failures).toEqual([]);
  expect(load.serials.size).toBe(ROUNDS + 1);
  expect(load.handshakes).toBeGreaterThan(100);
}

describe.skipIf(noEnvoy !== undefined)('Envoy serves TLS with a certificate of OpenBao', { timeout: 60_000 }, () => {
  it.each<ApiType>(['GRPC', 'DELTA_GRPC', 'REST'])(
    'over %s, and under constant new connections no rotation fails a handshake',
    async (apiType) => {
      const { dir, config } = await scene.place();
      const [socket, api] = [join(dir, 'sds.sock'), join(dir, 'api.sock')];
      const agent = scene.run(
        await config({
          backends: { bao: baoOf(world()) },
          secrets: { tls: { certificate } },
          sds: { socket, secrets: { server_cert: 'tls' } },
          api: { socket: api },
          log: { level: 'debug' },
        }),
      );
      await agent.waitFor('listener-opened', { count: 2 });
      const port = await findFreePort();
      const secrets = [{ name: 'server_cert', sds_config: sdsConfig(apiType) }];
      const envoy = scene.keep(
        await startEnvoy({
          clusters: [agentCluster(socket, apiType !== 'REST')],
          listeners: [tlsListener({ port, tls: { tls_certificate_sds_secret_configs: secrets } })],
        }),
      );
      const first = await eventually(() => shakeHands(port));
      expect(first.certificate.subject).toBe('CN=shop.svc');
      await rotateUnderLoad(api, port);
      expect(agent.facts('sds-refused')).toEqual([]);
      expect(await envoy.stat('listener.127.0.0.1_*.ssl.connection_error'.replace('*', String(port)))).toBe(0);
      if (apiType !== 'REST') expect(agent.facts('sds-accepted').length).toBe(ROUNDS + 1);
    },
  );

  it('from the files of an output that Envoy watches, without a failed handshake', async () => {
    const { dir, config } = await scene.place();
    const [out, api] = [join(dir, 'out'), join(dir, 'api.sock')];
    const data = (name: string) => ({ filename: join(out, name) });
    const sds = {
      resources: [
        {
          '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret',
          name: 'server_cert',
          tls_certificate: {
            certificate_chain: data('cert.pem'),
            private_key: data('key.pem'),
            watched_directory: { path: out },
          },
        },
      ],
    };
    const agent = scene.run(
      await config({
        backends: { bao: baoOf(world()) },
        secrets: { tls: { certificate } },
        outputs: {
          envoy: {
            dir: out,
            files: {
              'cert.pem': { content: '{{pem tls.certificate tls.caChain}}\n' },
              'key.pem': { format: 'raw', from: 'tls.privateKey' },
              'sds.json': { content: JSON.stringify(sds) },
            },
          },
        },
        api: { socket: api },
      }),
    );
    await agent.waitFor('output-published');
    const port = await findFreePort();
    const path = { path_config_source: { path: join(out, 'sds.json'), watched_directory: { path: out } } };
    const secrets = [{ name: 'server_cert', sds_config: { resource_api_version: 'V3', ...path } }];
    scene.keep(
      await startEnvoy({ listeners: [tlsListener({ port, tls: { tls_certificate_sds_secret_configs: secrets } })] }),
    );
    await eventually(() => shakeHands(port));
    await rotateUnderLoad(api, port);
  });
});
