import { copyFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type KubernetesObject, noKubernetes } from '../servers/kubernetes.ts';
import { startOpenBao } from '../servers/openbao.ts';
import { enableKv, writePolicy } from '../servers/openbao-engines.ts';
import { enableKubernetesAuth } from '../servers/openbao-logins.ts';
import { shopPolicy } from '../servers/world.ts';
import { eventually, runAgent } from '../system/agent.helpers.ts';
import { failuresOf, published, useScene } from '../system/openbao.helpers.ts';
import { apply, createPod, onKubernetes, useKubernetes } from './cluster.helpers.ts';
import { installInjector } from './injector.helpers.ts';

const server = useKubernetes();
const scene = useScene();

/** The audience of the example: its tokens are of no use at the API server itself. */
const AUDIENCE = 'openbao';

/** OpenBao asks the API server about tokens as this service account. */
const REVIEWER = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRoleBinding',
  metadata: { name: 'openbao' },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:auth-delegator' },
  subjects: [{ kind: 'ServiceAccount', name: 'openbao', namespace: 'security' }],
};

const IN_SHOP = { namespace: 'shop' };
const SHOP = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'shop', namespace: 'shop' } };

describe.skipIf(noKubernetes !== undefined)(onKubernetes('a login with the token of a service account'), () => {
  let bao: Awaited<ReturnType<typeof startOpenBao>>;

  beforeAll(async () => {
    bao = await startOpenBao({ tls: true });
    await server().addNamespace('shop');
    await server().addNamespace('security');
    await server().addServiceAccount('security', 'openbao');
    await apply(server(), REVIEWER);
    const reviewerJwt = await server().token('security', 'openbao');
    await enableKv(bao, 'secret', 2);
    await writePolicy(bao, 'shop', shopPolicy);
    await enableKubernetesAuth(bao, {
      review: { address: server().address, caPem: server().caPem, reviewerJwt },
      ...{ role: 'shop', namespace: 'shop', policies: ['shop'], extra: { audience: AUDIENCE } },
      ...{ tokenTtl: '3s', tokenMaxTtl: '3s' },
    });
    await bao.api('POST', 'secret/data/shop/app', { data: { password: 'hunter2' } });
    return () => bao.stop();
  });

  async function setUp(token: string) {
    const place = await scene.place();
    const tokenFile = join(place.dir, 'token');
    const write = async (text: string) => {
      await writeFile(`${tokenFile}.new`, text, { mode: 0o600 });
      await rename(`${tokenFile}.new`, tokenFile);
    };
    await write(token);
    const dir = join(place.dir, 'out');
    const { address, caFile } = bao.tls;
    const config = await place.config({
      backends: {
        bao: { kind: 'vault', address, tls: { caFile }, auth: { method: 'kubernetes', role: 'shop', tokenFile } },
      },
      secrets: { app: { kv: 'secret/shop/app', refresh: '300ms' } },
      outputs: { shop: { dir, files: { password: { content: '{{app.password}}' } } } },
    });
    return { config, dir, tokenFile, write };
  }

  /** A pod of the service account `shop`, as the kubelet knows it when it asks for the token. */
  async function podOfShop(): Promise<string> {
    await apply(server(), SHOP);
    const pod = {
      metadata: { generateName: 'shop-' },
      spec: { serviceAccountName: 'shop', containers: [{ name: 'a', image: 'b' }] },
    };
    const { body } = await createPod(server(), pod, IN_SHOP);
    return body.metadata.name;
  }

  const tokenFor = (pod: string, audience = AUDIENCE) => server().token('shop', 'shop', { audience, pod });

  it('is reviewed by the API server, and gives the secret', async () => {
    const token = await tokenFor(await podOfShop());
    const { config, dir } = await setUp(token);
    const init = await scene.init(config);
    expect([init.status, published(dir), init.output()]).toEqual([0, { password: 'hunter2' }, expect.any(String)]);
    expect(init.output()).not.toContain(token);
    const doctor = await runAgent(['doctor', '-c', config]);
    expect([doctor.status, doctor.output()]).toEqual([0, expect.stringContaining('shop')]);
  });

  it('is refused for another audience, another service account, and a signature that somebody has changed', async () => {
    const pod = await podOfShop();
    const good = await tokenFor(pod);
    const tokens = {
      'audience does not match': await tokenFor(pod, 'another'),
      'service account name not authorized': await server().token('security', 'openbao', { audience: AUDIENCE }),
      'permission denied': `${good.slice(0, -8)}AAAAAAAA`,
    };
    for (const [why, token] of Object.entries(tokens)) {
      const { config, dir } = await setUp(token);
      const init = await scene.init(config);
      expect([init.status, published(dir)]).toEqual([4, undefined]);
      const seen = expect.stringContaining(`(${why}) for POST auth/kubernetes/login`);
      expect(failuresOf(init)).toMatchObject([{ code: 'AUTH_DENIED', place: 'backends.bao.auth', seen }]);
      expect(init.output()).not.toContain(token);
    }
  });

  it.each([
    ['pod', (pod: string) => `/api/v1/namespaces/shop/pods/${pod}?gracePeriodSeconds=0`],
    ['service account', () => '/api/v1/namespaces/shop/serviceaccounts/shop'],
  ])(
    'is refused after its %s was deleted: that is told, the files stay, and the next token is taken',
    async (_, path) => {
      const pod = await podOfShop();
      const token = await tokenFor(pod);
      const { config, dir, write } = await setUp(token);
      const agent = scene.run(config);
      await agent.waitFor('output-published');
      await agent.waitFor('login-made', { count: 2 });
      await server().api('DELETE', path(pod));
      const denied =
        'HTTP 403 from .* \\(permission denied\\) for POST auth/kubernetes/login; the JWT in .* is of the service account shop/shop';
      expect(await agent.waitFor('login-failed')).toMatchObject({
        code: 'AUTH_DENIED',
        seen: expect.stringMatching(denied),
        hint: expect.stringContaining('still there'),
      });
      expect(await agent.waitFor('secret-state')).toMatchObject({ state: 'stale', reason: 'AUTH_DENIED' });
      expect(published(dir)).toEqual({ password: 'hunter2' });
      expect((await scene.init((await setUp(token)).config)).status).toBe(4);
      await write(await tokenFor(await podOfShop()));
      expect(await agent.waitFor('secret-state', { count: 2, withinMs: 40_000 })).toMatchObject({ state: 'fresh' });
      expect(await agent.stop()).toBe(0);
    },
  );

  it('is made by the agent of a pod that the injector has changed, from what the API server has stored of it', async () => {
    const { dir } = await scene.place();
    const installed = await installInjector(server(), dir);
    const injector = installed.start(['--address', bao.tls.address]);
    scene.keep({ [Symbol.asyncDispose]: async () => void (await injector.stop()) });
    await installed.untilReady();
    await apply(server(), SHOP);
    const annotations = {
      'pannier.dev/inject': 'true',
      'pannier.dev/role': 'shop',
      'pannier.dev/secret-app': '{ kv: secret/shop/app }',
      'pannier.dev/file-app.env': '{ format: dotenv, from: app, case: upper }',
    };
    const spec = { serviceAccountName: 'shop', containers: [{ name: 'shop', image: 'shop:1' }] };
    const { body: pod } = await createPod(
      server(),
      { metadata: { generateName: 'shop-', annotations }, spec },
      IN_SHOP,
    );
    const config = await asKubelet(pod, dir);
    scene.run(config);
    const { args, startupProbe } = pod.spec.initContainers[0];
    expect(args).toEqual(['run']);
    const probe = startupProbe.exec.command.slice(1);
    const env = { PANNIER_SOCKET: join(dir, 'health.sock') };
    await eventually(async () => expect((await runAgent(probe, { env })).status).toBe(0));
    expect(published(join(dir, 'secrets'))).toEqual({ 'app.env': "PASSWORD='hunter2'\n" });
  });

  /** Writes the files of the agent's volume as the kubelet does, but below `dir`; resolves to the configuration. */
  async function asKubelet(pod: KubernetesObject, dir: string): Promise<string> {
    const { projected } = pod.spec.volumes.find(({ name }: KubernetesObject) => name === 'pannier-config');
    const [{ downwardAPI }, { serviceAccountToken }, { configMap }] = projected.sources;
    const { audience, expirationSeconds, path } = serviceAccountToken;
    const token = await server().token('shop', 'shop', { audience, expirationSeconds, pod: pod.metadata.name });
    await writeFile(join(dir, path), token);
    expect(configMap).toEqual({ name: 'bao-ca', items: [{ key: 'ca.crt', path: 'ca.crt' }] });
    await copyFile(bao.tls.caFile, join(dir, 'ca.crt'));
    const [{ path: name, fieldRef }] = downwardAPI.items;
    const [, annotation = ''] = /^metadata\.annotations\['(.+)'\]$/.exec(fieldRef.fieldPath) ?? [];
    const text = pod.metadata.annotations[annotation]
      .replaceAll('/etc/pannier', dir)
      .replaceAll('/run/secrets/pannier', join(dir, 'secrets'))
      .replaceAll('/run/pannier', dir)
      .replace('requireTmpfs: true', 'requireTmpfs: false');
    await writeFile(join(dir, name), text);
    return join(dir, name);
  }
});
