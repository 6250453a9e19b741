import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { InjectorDefaults } from '../../src/injector/settings.ts';
import { answerTo, DEFAULTS, type Pod, patched } from './review.helpers.ts';

const spec = { containers: [{ name: 'app', image: 'x' }] };
const WITH_CA: InjectorDefaults = { ...DEFAULTS, caConfigMap: 'bao-ca' };

const own = (more: Readonly<Record<string, string>>): Pod => ({
  metadata: {
    annotations: {
      'pannier.dev/inject': 'true',
      'pannier.dev/role': 'shop',
      'pannier.dev/secret-app': '{ kv: secret/shop/app }',
      'pannier.dev/file-app.env': '{ format: dotenv, from: app }',
      ...more,
    },
  },
  spec,
});

const vault = (more: Readonly<Record<string, string>>): Pod => ({
  metadata: {
    annotations: Object.fromEntries(
      Object.entries({ 'agent-inject': 'true', role: 'shop', 'agent-inject-secret-app': 'kv1/app', ...more }).map(
        ([name, value]) => [`vault.hashicorp.com/${name}`, value],
      ),
    ),
  },
  spec,
});

async function injected(pod: Pod, defaults = DEFAULTS): Promise<{ readonly volumes: string; readonly backend: Pod }> {
  const answer = await answerTo(pod, defaults);
  expect(answer.denied).toBeUndefined();
  const result = patched(pod, answer);
  const { backends } = parse(result.metadata.annotations['pannier.dev/effective-config']);
  return { volumes: JSON.stringify(result.spec.volumes), backend: Object.values(backends)[0] };
}

describe('the CA that holds for all pods', () => {
  it.each([
    ['of Pannier', own({})],
    ['of vault-k8s', vault({})],
  ])('is mounted into a pod %s', async (_, pod) => {
    const { volumes, backend } = await injected(pod, WITH_CA);
    expect(volumes).toContain('"name":"bao-ca"');
    expect(backend.tls).toEqual({ caFile: '/etc/pannier/ca.crt' });
  });

  it.each([
    ['says so', own({ 'pannier.dev/ca-config-map': '' })],
    ['has a backend without TLS', own({ 'pannier.dev/address': 'http://bao:8200' })],
    ['of vault-k8s has a backend without TLS', vault({ service: 'http://bao:8200' })],
  ])('is not mounted into a pod that %s', async (_, pod) => {
    const { volumes, backend } = await injected(pod, WITH_CA);
    expect(volumes).not.toContain('bao-ca');
    expect(backend.tls).toBeUndefined();
  });
});

describe('a login of vault-k8s', () => {
  const ids = {
    'auth-type': 'approle',
    'auth-path': 'auth/approle',
    'auth-config-role-id-file-path': '/vault/custom/role-id',
    'auth-config-secret-id-file-path': '/vault/custom/secret-id',
    'agent-extra-secret': 'approle-ids',
  };

  it('by AppRole may name a role, which is named in a warning', async () => {
    const answer = await answerTo(vault(ids));
    expect(answer.denied).toBeUndefined();
    expect(answer.review.response.warnings).toEqual(['no effect with Pannier: vault.hashicorp.com/role']);
    const { backend } = await injected(vault(ids));
    expect(backend.auth).toMatchObject({ method: 'approle', roleIdFile: '/vault/custom/role-id' });
    expect(backend.auth.role).toBeUndefined();
  });
});
