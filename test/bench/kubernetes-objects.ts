/**
 * What watches of a `kubernetes` backend cost: node test/bench/kubernetes-objects.ts, after npm run build, where an API
 * server is (npm run test:kubernetes). For one object and for sixty it prints the connections and the memory of an
 * agent at rest, what it uses of the processor in a minute, and what the API server has more.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { startKubernetes } from '../servers/kubernetes.ts';
import { createPlace, eventually, startAgent } from '../system/agent.helpers.ts';

const COUNTS = [1, 60];
const REST_MS = 60_000;

const statusOf = (pid: number, key: string): number =>
  Number(new RegExp(`${key}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

/** A tick of Linux is 10 ms. */
const cpuMs = (pid: number): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
};

/** Sockets that are connected to this port. */
function connectionsOf(pid: number, port: number): number {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  const lines = ['tcp', 'tcp6'].flatMap((name) => readFileSync(`/proc/${pid}/net/${name}`, 'utf8').split('\n'));
  const rows = lines.map((line) => line.trim().split(/\s+/));
  const connected = new Set(rows.flatMap((row) => (row[2]?.endsWith(`:${hex}`) && row[3] === '01' ? [row[9]] : [])));
  const own = readdirSync(`/proc/${pid}/fd`).map((fd) => {
    try {
      return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1];
    } catch {
      return undefined;
    }
  });
  return own.filter((inode) => connected.has(inode)).length;
}

await using server = await startKubernetes();
await server.addNamespace('shop');
await using place = await createPlace();
const caFile = join(place.dir, 'ca.pem');
const tokenFile = join(place.dir, 'token');
await writeFile(caFile, server.caPem);
await server.addServiceAccount('shop', 'agent');
await writeFile(tokenFile, await server.token('shop', 'agent'));
const rbac = '/apis/rbac.authorization.k8s.io/v1/namespaces/shop';
const rules = [{ apiGroups: [''], resources: ['secrets'], verbs: ['get', 'watch'] }];
await server.api('POST', `${rbac}/roles`, { metadata: { name: 'agent' }, rules });
await server.api('POST', `${rbac}/rolebindings`, {
  metadata: { name: 'agent' },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'agent' },
  subjects: [{ kind: 'ServiceAccount', name: 'agent', namespace: 'shop' }],
});
const names = Array.from({ length: Math.max(...COUNTS) }, (_, index) => `s${index}`);
for (const name of names) {
  await server.api('POST', '/api/v1/namespaces/shop/secrets', { metadata: { name }, data: { a: 'YQ==' } });
}
for (const count of COUNTS) {
  const secrets = Object.fromEntries(names.slice(0, count).map((name) => [name, { kubernetesSecret: name }]));
  const tls = { caFile };
  const k8s = { kind: 'kubernetes', address: server.address, tokenFile, tls, namespace: 'shop' };
  const files = { 'all.json': { format: 'json', from: Object.keys(secrets) } };
  const outputs = { o: { dir: join(place.dir, 'out'), files } };
  const config = await place.config({ log: { level: 'debug' }, backends: { k8s }, secrets, outputs });
  const before = statusOf(server.pid, 'VmRSS');
  const agent = startAgent(['run', '-c', config]);
  await eventually(() => {
    const watches = agent.facts('backend-answered').filter(({ call }) => String(call).startsWith('WATCH '));
    if (watches.length < count)
      throw new Error(`${watches.length} of ${count} watches:\n${agent.stderr().slice(-2000)}`);
  }, 60_000);
  await pause(20_000);
  const used = cpuMs(agent.pid);
  await pause(REST_MS);
  const port = Number(new URL(server.address).port);
  console.log(
    `${count} objects: ${connectionsOf(agent.pid, port)} connections, ${statusOf(agent.pid, 'VmRSS').toFixed(1)} MiB, ${cpuMs(agent.pid) - used} ms of CPU in a minute; the API server ${(statusOf(server.pid, 'VmRSS') - before).toFixed(1)} MiB more`,
  );
  await agent.stop();
  await rm(join(place.dir, 'out'), { recursive: true, force: true });
}
