import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Fact } from '../../src/base/fact.ts';
import { certificatesIn } from '../../src/certificate/pem.ts';
import { callApiServer } from '../../src/injector/certificate/api-server.ts';
import { selfMadeCertificate } from '../../src/injector/certificate/self-made.ts';
import { runInjector } from '../../src/injector/run-injector.ts';
import { FakeClock } from '../fake-clock.ts';
import { createAuthority } from '../servers/certificates.ts';
import { findFreePort } from '../servers/free-port.ts';
import { type KubernetesObject, noKubernetes } from '../servers/kubernetes.ts';
import { type Agent, createPlace, eventually, startAgent } from '../system/agent.helpers.ts';
import { createPod, onKubernetes, useKubernetes } from './cluster.helpers.ts';
import {
  applyExample,
  bundles,
  EXAMPLE_DEFAULTS,
  type Installed,
  installInjector,
  WEBHOOK,
  WEBHOOK_PATH,
} from './injector.helpers.ts';
import { startOtherWebhook } from './other-webhook.helpers.ts';

const server = useKubernetes();
const DAY_MS = 86_400_000;
const SERVICE = 'pannier-injector.pannier.svc';

const podOf = (annotations: Readonly<Record<string, string>> = {}, more: object = {}): KubernetesObject => ({
  metadata: { generateName: 'shop-', annotations, ...more },
  spec: { containers: [{ name: 'shop', image: 'shop:1' }] },
});

const asking = (more: object = {}): KubernetesObject =>
  podOf(
    {
      'pannier.dev/inject': 'true',
      'pannier.dev/role': 'shop',
      'pannier.dev/secret-app': '{ kv: secret/shop/app }',
      'pannier.dev/file-app.env': '{ format: dotenv, from: app }',
    },
    more,
  );

const names = (containers: readonly KubernetesObject[] | undefined): readonly string[] =>
  (containers ?? []).map(({ name }) => name);

const create = (pod: KubernetesObject, namespace = 'shop') => createPod(server(), pod, { namespace });

/** Fails when the pod was not created with the agent. */
async function expectInjected(pod = asking()): Promise<void> {
  const { status, body } = await create(pod);
  expect([status, body.message, names(body.spec?.initContainers)]).toEqual([201, undefined, ['pannier']]);
}

describe.skipIf(noKubernetes !== undefined)(onKubernetes('the life of an injector'), () => {
  let place: Awaited<ReturnType<typeof createPlace>>;
  let installed: Installed;

  beforeAll(async () => {
    place = await createPlace();
    await server().addNamespace('shop');
    await server().addNamespace('lenient', { 'pannier.dev/failure-policy': 'ignore' });
    installed = await installInjector(server(), place.dir);
    return () => place[Symbol.asyncDispose]();
  });

  /** Writes the configuration as it is in the example: nothing is trusted, and the port is the one of the injector. */
  beforeEach(async () => {
    const patch = [0, 1].map((index) => ({ op: 'add', path: `/webhooks/${index}/clientConfig/caBundle`, value: '' }));
    await server().api('PATCH', WEBHOOK_PATH, patch, { contentType: 'application/json-patch+json' });
  });

  async function started(): Promise<Agent & AsyncDisposable> {
    const agent = installed.start();
    await installed.untilReady();
    return { ...agent, [Symbol.asyncDispose]: async () => void (await agent.stop()) };
  }

  it('needs no right but to read and to patch its own configuration', async () => {
    const as = { token: await server().token('pannier', 'pannier-injector') };
    const all = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations';
    const status = async (method: string, path: string) => (await server().ask(method, path, undefined, { as })).status;
    expect(await status('GET', WEBHOOK_PATH)).toBe(200);
    expect(await status('GET', all)).toBe(403);
    expect(await status('GET', `${all}/other`)).toBe(403);
    expect(await status('DELETE', WEBHOOK_PATH)).toBe(403);
    expect(await status('GET', '/api/v1/namespaces/pannier/secrets')).toBe(403);
    expect(await status('GET', '/api/v1/namespaces/shop/pods')).toBe(403);
  });

  it('away: pods that ask for an agent are not created, others are, and a namespace may have it otherwise', async () => {
    const { status, body } = await create(asking());
    expect([status, body.message]).toEqual([
      500,
      expect.stringMatching(/failed calling webhook "closed\.injector\.pannier\.dev"/),
    ]);
    expect((await create(podOf())).status).toBe(201);
    expect((await create(podOf({ 'prometheus.io/scrape': 'true' }))).status).toBe(201);
    const lenient = await create(asking(), 'lenient');
    expect([lenient.status, names(lenient.body.spec.initContainers)]).toEqual([201, []]);
    await using _ = await started();
    const { body: injected } = await create(asking(), 'lenient');
    expect(names(injected.spec.initContainers)).toEqual(['pannier']);
  });

  it('keeps its bundle when the manifest is applied again', async () => {
    await using _ = await started();
    const before = await bundles(server());
    await applyExample(server(), installed.port);
    expect(await bundles(server())).toEqual(before);
  });

  it('puts several authorities into the bundle when replicas start at the same moment', async () => {
    const env = { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: `${server().port}` };
    const args = ['--webhook', WEBHOOK, '--service', SERVICE, '--account-dir', installed.accountDir];
    await using replicas = new AsyncDisposableStack();
    for (const HOSTNAME of ['a', 'b', 'c', 'd']) {
      const port = await findFreePort();
      const options = { env: { ...env, HOSTNAME } };
      const replica = startAgent(['injector', '--listen', `127.0.0.1:${port}`, ...args], options);
      replicas.defer(async () => void (await replica.stop()));
    }
    await eventually(async () => {
      for (const bundle of await bundles(server())) expect(certificatesIn(bundle)).toHaveLength(4);
    });
  });

  it('goes on when the API server is away and comes back, and starts while it is away', async () => {
    await using agent = await started();
    await expectInjected();
    await server().kill();
    expect(await agent.stop()).toBe(0);
    const late = installed.start();
    await late.waitFor('agent-warning', { fits: ({ code }) => code === 'INJECTOR_API_SERVER' });
    expect(await installed.isReady()).toBe(false);
    await server().start();
    await installed.untilReady();
    await expectInjected();
    await late.stop();
  });

  it('tells of a right that it lacks', async () => {
    const dir = join(place.dir, 'account');
    const token = await server().token('shop', 'default');
    const own = await server().token('pannier', 'pannier-injector');
    writeFileSync(join(dir, 'token'), token);
    const agent = installed.start();
    const warning = await agent.waitFor('agent-warning');
    expect(JSON.stringify(warning)).toContain('status 403');
    expect(agent.output()).not.toContain(token);
    writeFileSync(join(dir, 'token'), own);
    await installed.untilReady();
    await agent.stop();
  });

  describe('with a certificate whose end is near or past', () => {
    /** The injector in this process, on a clock that the test moves; the API server is on the real one. */
    async function onClock(nowMs: number) {
      const clock = new FakeClock(nowMs);
      const facts: Fact[] = [];
      const abort = new AbortController();
      const emit = (fact: Fact) => facts.push(fact);
      const call = callApiServer({ host: '127.0.0.1', port: server().port, accountDir: installed.accountDir });
      const certificate = selfMadeCertificate({
        ...{ webhook: WEBHOOK, service: SERVICE, replica: 'one', call, clock, emit },
      });
      const options = { host: '127.0.0.1', port: installed.port, defaults: EXAMPLE_DEFAULTS, certificate, emit };
      const running = runInjector({ ...options, signal: abort.signal });
      const sleeps = () => vi.waitFor(() => expect(clock.waiting).toBe(1), { timeout: 20_000 });
      await sleeps();
      return {
        facts,
        jumpWall: (ms: number) => clock.jumpWall(ms),
        async pass(ms: number) {
          await sleeps();
          await clock.advance(ms);
          await sleeps();
        },
        async [Symbol.asyncDispose]() {
          abort.abort();
          await running;
        },
      };
    }

    it('is refused by the API server once it has expired, and makes another one', async () => {
      await using injector = await onClock(Date.now() - 8 * DAY_MS);
      expect(await installed.isReady()).toBe(true);
      const { body } = await create(asking());
      expect(body.message).toMatch(/certificate has expired or is not yet valid/);
      injector.jumpWall(8 * DAY_MS);
      await injector.pass(60_000);
      await injector.pass(10_000);
      expect(injector.facts.map(({ kind }) => kind)).toContain('injector-certificate');
      await expectInjected();
    });

    it('is trusted at each moment of a rotation', async () => {
      await using injector = await onClock(Date.now() - 4.7 * DAY_MS);
      await expectInjected();
      const [first] = await bundles(server());
      injector.jumpWall(4.7 * DAY_MS);
      await injector.pass(60_000);
      expect(certificatesIn((await bundles(server()))[0] ?? '')).toHaveLength(2);
      await expectInjected();
      await injector.pass(10_000);
      await expectInjected();
      await injector.pass(60_000);
      await expectInjected();
      const [second] = await bundles(server());
      expect(certificatesIn(second ?? '')).toHaveLength(1);
      expect(second).not.toBe(first);
    });

    it('writes the bundle again after somebody has removed it', async () => {
      await using injector = await onClock(Date.now());
      const before = await bundles(server());
      const patch = [{ op: 'remove', path: '/webhooks/0/clientConfig/caBundle' }];
      await server().api('PATCH', WEBHOOK_PATH, patch, { contentType: 'application/json-patch+json' });
      expect(await bundles(server())).not.toEqual(before);
      await injector.pass(60_000);
      expect(await bundles(server())).toEqual(before);
      await eventually(() => expectInjected());
    });

    it('in files that is replaced is used without a restart', async () => {
      const authority = createAuthority('files');
      const [certFile, keyFile] = [join(place.dir, 'tls.crt'), join(place.dir, 'tls.key')];
      const write = (lifetimeMs: number) => {
        const pair = authority.issue({ commonName: SERVICE, altNames: [SERVICE], lifetimeMs });
        writeFileSync(certFile, pair.certificatePem);
        writeFileSync(keyFile, pair.keyPem);
      };
      const value = Buffer.from(authority.certificatePem).toString('base64');
      const patch = [0, 1].map((index) => ({ op: 'add', path: `/webhooks/${index}/clientConfig/caBundle`, value }));
      await server().api('PATCH', WEBHOOK_PATH, patch, { contentType: 'application/json-patch+json' });
      write(-60_000);
      const agent = installed.start(['--tls-cert-file', certFile, '--tls-key-file', keyFile]);
      await eventually(async () => {
        expect((await create(asking())).body.message).toMatch(/certificate has expired or is not yet valid/);
      });
      expect(await installed.isReady()).toBe(false);
      write(3_600_000);
      await agent.waitFor('injector-certificate');
      await installed.untilReady();
      await eventually(() => expectInjected());
      await agent.stop();
    });
  });

  describe('beside other webhooks', () => {
    const addsContainer = (name: string, native: boolean) => (pod: KubernetesObject) => {
      const list = native ? 'initContainers' : 'containers';
      const isThere = names(pod.spec[list]).includes(name);
      const container = { name, image: 'mesh:1', ...(native ? { restartPolicy: 'Always' } : {}) };
      if (isThere) return [];
      return [{ op: 'add', path: `/spec/${list}${native ? '' : '/-'}`, value: native ? [container] : container }];
    };

    it('stands behind the proxy that one before it has added', async () => {
      await using _ = await started();
      await using _mesh = await startOtherWebhook(server(), 'a-mesh', addsContainer('istio-proxy', true));
      const { body } = await create(asking({ labels: { other: 'a-mesh' } }));
      expect(names(body.spec.initContainers)).toEqual(['istio-proxy', 'pannier']);
    });

    it('is asked again after one behind it has added a container, and changes nothing then', async () => {
      await using agent = await started();
      await using logs = await startOtherWebhook(server(), 'z-logs', addsContainer('logs', false));
      const { status, body } = await create(asking({ labels: { other: 'z-logs' } }));
      expect([status, names(body.spec.initContainers), names(body.spec.containers)]).toEqual([
        201,
        ['pannier'],
        ['shop', 'logs'],
      ]);
      expect(logs.seen.map(({ spec }) => names(spec.initContainers))).toEqual([['pannier']]);
      expect(agent.facts('pod-injected')).toHaveLength(1);
      const mounts = body.spec.containers.map(({ volumeMounts }: KubernetesObject) => names(volumeMounts));
      expect(mounts[0]).toContain('pannier-secrets');
      expect(mounts[1]).not.toContain('pannier-secrets');
    });
  });
});
