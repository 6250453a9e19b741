/**
 * Envoy with its secrets from the agent, for longer than `npm test` can wait:
 *
 *   npm run bench:sds                     a minute of rotations every two seconds under load, over each protocol of
 *                                         gRPC; then 1,000 names on demand
 *   npm run bench:sds -- --names 10000    the same with 10,000 names
 *   npm run bench:sds -- --seconds 0      the names alone
 *
 * It prints what it measured, and ends with status 1 when a handshake failed or a rotation was not served.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { findFreePort, startEnvoy, startWorld } from '../servers/index.ts';
import { createPlace, eventually, startAgent } from '../system/agent.helpers.ts';
import {
  type ApiType,
  agentCluster,
  onDemandSelector,
  rotate,
  sdsConfig,
  shakeHands,
  tlsListener,
  underLoad,
} from '../system/sds.helpers.ts';

const EVERY_MS = 2_000;
const CLIENTS = 8;

/** The handshakes of certificates that are there are timed a few at a time: the clients take most of the processor. */
const TIMED_CLIENTS = 2;

const { values: options } = parseArgs({
  options: { names: { type: 'string', default: '1000' }, seconds: { type: 'string', default: '60' } },
});
const names = Number(options.names);
const seconds = Number(options.seconds);

await using world = await startWorld();
const auth = { method: 'kubernetes', role: 'shop', tokenFile: world.tokenFile };
const backends = { bao: { kind: 'vault', address: world.bao.address, auth } };
const certificate = { issuer: 'pki', role: 'shop', ttl: '24h' };

for (const apiType of seconds > 0 ? (['GRPC', 'DELTA_GRPC'] satisfies ApiType[]) : []) await rotations(apiType);
if (names > 0) await onDemand();

async function rotations(apiType: ApiType): Promise<void> {
  await using place = await createPlace();
  const [socket, api] = [join(place.dir, 'sds.sock'), join(place.dir, 'api.sock')];
  const config = await place.config({
    backends,
    secrets: { tls: { certificate: { ...certificate, commonName: 'shop.svc' } } },
    sds: { socket, secrets: { server_cert: 'tls' } },
    api: { socket: api },
  });
  const agent = startAgent(['run', '-c', config]);
  await agent.waitFor('listener-opened', { count: 2 });
  const port = await findFreePort();
  const secrets = [{ name: 'server_cert', sds_config: sdsConfig(apiType) }];
  const tls = { tls_certificate_sds_secret_configs: secrets };
  await using _envoy = await startEnvoy({ clusters: [agentCluster(socket)], listeners: [tlsListener({ port, tls })] });
  await eventually(() => shakeHands(port));
  await using load = underLoad(port, CLIENTS);
  const lags: number[] = [];
  for (const end = performance.now() + seconds * 1_000; performance.now() < end; ) {
    await pause(EVERY_MS);
    const serial = await rotate(api);
    const issued = performance.now();
    while ([...load.serials].at(-1) !== serial) await pause(1);
    lags.push(performance.now() - issued);
  }
  await load.stop();
  await agent.stop();
  const { handshakes, failures, serials } = load;
  report(
    `${apiType}: ${handshakes} handshakes, ${failures.length} failed, ${lags.length} rotations, ${serials.size} serials`,
    {
      'served after': lags,
    },
  );
  if (failures.length > 0 || serials.size !== lags.length + 1) process.exitCode = 1;
  if (failures.length > 0) process.stdout.write(`${[...new Set(failures)].slice(0, 5).join('\n')}\n`);
}

async function onDemand(): Promise<void> {
  await using place = await createPlace();
  const socket = join(place.dir, 'sds.sock');
  const match = { match: '*.shop.svc', max: names + 100, certificate };
  const config = await place.config({ backends, sds: { socket, maxStreams: names + 100, onDemand: match } });
  const agent = startAgent(['run', '-c', config]);
  await agent.waitFor('listener-opened');
  const port = await findFreePort();
  const downstream = { disable_stateless_session_resumption: true, disable_stateful_session_resumption: true };
  const tls = onDemandSelector(sdsConfig('DELTA_GRPC'));
  await using envoy = await startEnvoy({
    clusters: [agentCluster(socket)],
    listeners: [tlsListener({ port, tls, downstream })],
  });
  const before = rssMiB(agent.pid);
  const all = Array.from({ length: names }, (_, i) => `s${i}.shop.svc`);
  const issued = await askAll(port, all, 4 * CLIENTS);
  const cached = await askAll(port, all, TIMED_CLIENTS);
  report(`on demand: ${names} names, ${issued.failed + cached.failed} handshakes failed`, {
    'issued in': issued.took,
    'cached in': cached.took,
  });
  const [now, envoys] = [rssMiB(agent.pid), rssMiB(envoy.pid)];
  process.stdout.write(`  memory: agent ${before} MiB before, ${now} MiB with all; Envoy ${envoys} MiB\n`);
  if (issued.failed + cached.failed > 0) process.exitCode = 1;
  await agent.stop();
}

/** A handshake for each name, some at a time. */
async function askAll(
  port: number,
  all: readonly string[],
  clients: number,
): Promise<{ took: number[]; failed: number }> {
  const took: number[] = [];
  let [next, failed] = [0, 0];
  const client = async () => {
    for (let servername = all[next++]; servername !== undefined; servername = all[next++]) {
      const start = performance.now();
      try {
        const { certificate: served } = await shakeHands(port, { servername });
        if (served.subject !== `CN=${servername}`) throw new Error('another certificate');
        took.push(performance.now() - start);
      } catch {
        failed++;
      }
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return { took, failed };
}

function report(title: string, times: Readonly<Record<string, readonly number[]>>): void {
  process.stdout.write(`${title}\n`);
  for (const [what, taken] of Object.entries(times)) {
    const sorted = [...taken].sort((a, b) => a - b);
    const at = (share: number) => (sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(1);
    process.stdout.write(`  ${what}: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms\n`);
  }
}

function rssMiB(pid: number): number {
  const [, kib = '0'] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Math.round(Number(kib) / 1024);
}
