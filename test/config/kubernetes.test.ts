import { describe, expect, it } from 'vitest';
import { BACKEND_KINDS } from '../../src/backend/registry.ts';
import { ProblemsError } from '../../src/base/errors.ts';
import { loadConfig } from '../../src/config/load.ts';
import { makeFolder } from './config.helpers.ts';

const POD = { KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '6443' };
const FILES = '/var/run/secrets/kubernetes.io/serviceaccount';

interface Given {
  readonly backend?: object;
  readonly secret?: object;
  readonly env?: Record<string, string>;
}

async function load({ backend = {}, secret = { kubernetesSecret: 'db' }, env = POD }: Given) {
  const config = { version: 1, backends: { k8s: { kind: 'kubernetes', ...backend } }, secrets: { db: secret } };
  const cwd = makeFolder({ 'pannier.json': JSON.stringify(config) });
  const loaded = await loadConfig({ kinds: BACKEND_KINDS, paths: ['.'], env, cwd });
  return { cwd, backend: loaded.backends.get('k8s') as object, request: loaded.secrets.get('db')?.request };
}

async function problems(given: Given): Promise<readonly string[]> {
  try {
    await load(given);
    return [];
  } catch (error) {
    if (!(error instanceof ProblemsError)) throw error;
    return error.failures.map(({ code, place }) => `${code} ${place}`);
  }
}

describe('a backend of kind kubernetes', () => {
  it('takes address, token, CA and namespace of the pod without any key', async () => {
    expect((await load({})).backend).toEqual({
      kind: 'kubernetes',
      name: 'k8s',
      address: 'https://10.0.0.1:6443',
      timeoutMs: 10_000,
      access: {
        from: 'cluster',
        address: 'https://10.0.0.1:6443',
        tokenFile: `${FILES}/token`,
        caFile: `${FILES}/ca.crt`,
        namespaceFile: `${FILES}/namespace`,
      },
    });
    const six = await load({ env: { KUBERNETES_SERVICE_HOST: 'fd00::1' } });
    expect(six.backend).toMatchObject({ address: 'https://[fd00::1]' });
  });

  it('takes another server, with files beside the configuration', async () => {
    const tls = { caFile: 'ca.pem', serverName: 'kubernetes' };
    const { backend, cwd } = await load({
      env: {},
      backend: { address: 'https://k8s:6443/', tokenFile: 'token', tls, namespace: 'shop', timeout: '3s' },
    });
    expect(backend).toMatchObject({
      namespace: 'shop',
      timeoutMs: 3_000,
      access: {
        address: 'https://k8s:6443',
        tokenFile: `${cwd}/token`,
        caFile: `${cwd}/ca.pem`,
        serverName: 'kubernetes',
      },
    });
  });

  it('takes a kubeconfig by its key, also in a pod, and by KUBECONFIG outside of one', async () => {
    const named = await load({ backend: { kubeconfig: './k', context: 'prod' } });
    expect(named.backend).toMatchObject({ access: { from: 'kubeconfig', path: `${named.cwd}/k`, context: 'prod' } });
    const inherited = await load({ env: { KUBECONFIG: 'mine' } });
    expect(inherited.backend).toMatchObject({ access: { from: 'kubeconfig', path: `${inherited.cwd}/mine` } });
  });

  it.each<[string, Given, string[]]>([
    ['nothing says which cluster', { env: {} }, ['CONFIG_MISSING backends.k8s.kubeconfig']],
    ['KUBECONFIG lists files', { env: { KUBECONFIG: '/a:/b' } }, ['CONFIG_INVALID backends.k8s.kubeconfig']],
    ['a context stands alone', { backend: { context: 'x' } }, ['CONFIG_MISSING backends.k8s.kubeconfig']],
    [
      'a kubeconfig and its parts stand together',
      { backend: { kubeconfig: 'k', address: 'https://k', tokenFile: 't', tls: {} } },
      [
        'CONFIG_INVALID backends.k8s.address',
        'CONFIG_INVALID backends.k8s.tokenFile',
        'CONFIG_INVALID backends.k8s.tls',
      ],
    ],
    [
      'a token would go out openly',
      { backend: { address: 'http://k8s:8080' } },
      ['CONFIG_INVALID backends.k8s.address'],
    ],
    [
      'certificates are not checked',
      { env: { ...POD, NODE_TLS_REJECT_UNAUTHORIZED: '0' } },
      ['CONFIG_TLS_UNSAFE backends.k8s.tls'],
    ],
    [
      'skipVerify is asked for',
      { backend: { tls: { skipVerify: true } } },
      ['CONFIG_UNKNOWN_KEY backends.k8s.tls.skipVerify'],
    ],
    ['the namespace is none', { backend: { namespace: 'Shop/1' } }, ['CONFIG_INVALID backends.k8s.namespace']],
    [
      'the host of the pod is none',
      { env: { KUBERNETES_SERVICE_HOST: 'a b' } },
      ['CONFIG_INVALID backends.k8s.address'],
    ],
  ])('is refused when %s', async (_, given, places) => {
    expect(await problems(given)).toEqual(places);
  });

  it('takes plain HTTP to this machine, where `kubectl proxy` listens', async () => {
    expect(await problems({ backend: { address: 'http://127.0.0.1:8001' } })).toEqual([]);
  });
});

describe('a secret of a backend of kind kubernetes', () => {
  it('is an object by its name, perhaps with its namespace and its keys', async () => {
    expect((await load({})).request).toEqual({ kind: 'kubernetes-object', resource: 'secrets', object: 'db' });
    expect((await load({ secret: { configMap: 'a/b.c', keys: ['z', 'a'] } })).request).toEqual({
      kind: 'kubernetes-object',
      resource: 'configmaps',
      namespace: 'a',
      object: 'b.c',
      keys: ['a', 'z'],
    });
  });

  it.each<[string, object, string[]]>([
    ['has a path', { kubernetesSecret: 'a/b/c' }, ['CONFIG_INVALID secrets.db.kubernetesSecret']],
    ['has a query', { configMap: 'a?watch=1' }, ['CONFIG_INVALID secrets.db.configMap']],
    ['climbs', { kubernetesSecret: '../x' }, ['CONFIG_INVALID secrets.db.kubernetesSecret']],
    ['has two names', { kubernetesSecret: 'a', configMap: 'b' }, ['CONFIG_INVALID secrets.db']],
    ['has no keys', { kubernetesSecret: 'a', keys: [] }, ['CONFIG_INVALID secrets.db.keys']],
    ['has a key twice', { kubernetesSecret: 'a', keys: ['x', 'x'] }, ['CONFIG_DUPLICATE secrets.db.keys']],
  ])('is refused when it %s', async (_, secret, places) => {
    expect(await problems({ secret })).toEqual(places);
  });
});
