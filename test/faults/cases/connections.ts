/** Faults on the way to the server: ports, certificates, names, proxies. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect } from 'vitest';
import { createAuthority } from '../../servers/index.ts';
import { eventually } from '../../system/agent.helpers.ts';
import { writeFileInOne } from '../../system/file-backend.helpers.ts';
import { published } from '../../system/openbao.helpers.ts';
import type { Backend, FaultCase, Prepared, Scene, Start } from '../case.ts';

const group = 'Connections';
const UNREACHABLE = ['BACKEND_UNREACHABLE'];
/** Longer than the agent's timeout of 500 ms would be `hang`. */
const LATENCY_MS = 300;

const refused = (on: Backend, id: string): FaultCase => ({
  id,
  group,
  fault: 'connections are refused',
  on,
  inject: ({ proxy }) => proxy.refuse(),
  heal: ({ proxy }) => proxy.accept(),
  expect: { codes: UNREACHABLE },
});

const latency = (on: Backend, id: string): FaultCase => ({
  id,
  group,
  fault: `each answer is ${LATENCY_MS} ms late`,
  on,
  inject: ({ proxy }) =>
    proxy.fault((request, socket) => void setTimeout(() => proxy.pass(request, socket), LATENCY_MS)),
  heal: ({ proxy }) => proxy.fault(),
  expect: { secret: 'fresh', rotated: 'in the fault' },
});

const pairOf = (name: string) => {
  const authority = createAuthority(name);
  const { certificatePem: cert, keyPem: key } = authority.issue({ commonName: 'bao', altNames: ['127.0.0.1'] });
  return { ca: authority.certificatePem, server: { cert, key } };
};
const trusted = pairOf('trusted');

/** Runs the agent with its own /etc/hosts and /etc/resolv.conf, which a case may write while it runs. */
const NAMES = 'mount --bind "$0" /etc/hosts && mount --bind "$1" /etc/resolv.conf && shift && exec "$@"';
const HOSTS = '127.0.0.1 localhost\n';

async function ownNames({ dir }: Prepared): Promise<Start> {
  const [hosts, resolver] = [join(dir, 'hosts'), join(dir, 'resolv.conf')];
  await writeFile(hosts, `${HOSTS}127.0.0.1 bao.test\n`);
  // Nobody answers there: a name that /etc/hosts lacks does not resolve.
  await writeFile(resolver, 'nameserver 127.0.0.1\noptions timeout:1 attempts:1\n');
  return { under: ['unshare', '-m', 'sh', '-c', NAMES, hosts, resolver] };
}

const byName = ({ proxy: { port } }: Pick<Scene, 'proxy'>) => `http://bao.test:${port}`;

/** Connections that are kept go on without the name, so they are cut too. */
async function forgetName({ dir, proxy }: Scene): Promise<void> {
  await writeFile(join(dir, 'hosts'), HOSTS);
  await proxy.accept();
}
const knowName = ({ dir }: Scene) => writeFile(join(dir, 'hosts'), `${HOSTS}127.0.0.1 bao.test\n`);

/** A look-up takes one of Node's threads for ten seconds, and the file system needs threads too. */
const LOOK_UPS = 5;

/** What another backend has is published while look-ups of names hang. */
async function otherOutputGoesOn({ dir, agent }: Scene): Promise<void> {
  const hung = agent.facts('backend-failed').length + LOOK_UPS;
  await agent.waitFor('backend-failed', { count: hung, withinMs: 60_000 });
  await writeFileInOne(join(dir, 'other.json'), JSON.stringify({ other: { value: 'two' } }));
  await eventually(() => expect(published(join(dir, 'other'))).toEqual({ value: 'two' }), 10_000);
}

/** A proxy as HTTP_PROXY names it, that finds `bao.test`. */
async function startForwardProxy({ proxy, after, kept }: Prepared): Promise<Start> {
  const state = { status: 200 };
  const server = http.createServer((request, response) => {
    if (state.status === 0) return void request.socket.destroy();
    if (state.status !== 200) return void response.writeHead(state.status).end('no');
    const { pathname, search } = new URL(request.url ?? '');
    const { method, headers } = request;
    const onward = http.request(
      { port: proxy.port, host: '127.0.0.1', path: pathname + search, method, headers },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    onward.on('error', () => request.socket.destroy());
    request.pipe(onward);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  kept.set('forward', state);
  return { env: { HTTP_PROXY: `http://127.0.0.1:${(server.address() as AddressInfo).port}` } };
}

const forward = (status: number) => (scene: Scene) => {
  (scene.kept.get('forward') as { status: number }).status = status;
};

export const CONNECTIONS: readonly FaultCase[] = [
  refused('OpenBao', 'refused'),
  refused('AWS (moto)', 'refused-aws'),
  latency('OpenBao', 'latency'),
  latency('AWS (moto)', 'latency-aws'),
  {
    id: 'certificate-swapped',
    group,
    fault: 'the server has a certificate of another authority',
    on: 'OpenBao',
    setup: {
      tls: async (dir) => {
        await writeFile(join(dir, 'ca.pem'), trusted.ca);
        return { server: trusted.server, client: { tls: { caFile: join(dir, 'ca.pem') } } };
      },
    },
    inject: ({ proxy }) => proxy.accept(pairOf('another').server),
    heal: ({ proxy }) => proxy.accept(trusted.server),
    expect: { codes: ['BACKEND_TLS'] },
  },
  {
    id: 'name-gone',
    group,
    fault: 'the name of the server no longer resolves',
    on: 'OpenBao',
    needs: 'mount',
    setup: { address: (proxy) => byName({ proxy }), prepare: ownNames },
    inject: forgetName,
    heal: knowName,
    expect: { codes: UNREACHABLE },
  },
  {
    id: 'dns-hangs',
    group,
    fault: 'the DNS server does not answer; an output of another backend goes on',
    on: 'OpenBao',
    needs: 'mount',
    setup: {
      address: (proxy) => byName({ proxy }),
      prepare: async (scene) => {
        const start = await ownNames(scene);
        const silent = createSocket('udp4').bind(53, '127.77.0.1');
        await once(silent, 'listening');
        scene.after(() => silent.close());
        await writeFile(join(scene.dir, 'resolv.conf'), 'nameserver 127.77.0.1\n');
        await writeFile(join(scene.dir, 'other.json'), JSON.stringify({ other: { value: 'one' } }));
        return start;
      },
      more: (dir) => ({
        backends: { other: { kind: 'file', path: join(dir, 'other.json') } },
        secrets: { other: { backend: 'other', key: 'other' } },
        outputs: { other: { dir: join(dir, 'other'), files: { value: { content: '{{other.value}}' } } } },
      }),
    },
    inject: forgetName,
    heal: knowName,
    during: otherOutputGoesOn,
    expect: { codes: ['BACKEND_TIMEOUT', ...UNREACHABLE] },
  },
  {
    id: 'forward-proxy-gone',
    group,
    fault: 'the proxy that `HTTP_PROXY` names cuts each connection',
    on: 'OpenBao',
    setup: { address: (proxy) => byName({ proxy }), prepare: startForwardProxy },
    inject: forward(0),
    heal: forward(200),
    expect: { codes: UNREACHABLE },
  },
  {
    id: 'forward-proxy-refuses',
    group,
    fault: 'the proxy that `HTTP_PROXY` names answers 407',
    on: 'OpenBao',
    setup: { address: (proxy) => byName({ proxy }), prepare: startForwardProxy },
    inject: forward(407),
    heal: forward(200),
    expect: { codes: UNREACHABLE },
  },
];
