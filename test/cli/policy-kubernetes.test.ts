import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { KubernetesBackendConfig, KubernetesRequest } from '../../src/backend/kubernetes/config/config.ts';
import { policiesFor } from '../../src/backend/kubernetes/policies.ts';

const access = { from: 'kubeconfig', path: '/k' } as const;
const config: KubernetesBackendConfig = { kind: 'kubernetes', name: 'k8s', timeoutMs: 1, access };

const secret = (object: string, more: Partial<KubernetesRequest> = {}) => {
  const request: KubernetesRequest = { kind: 'kubernetes-object', resource: 'secrets', object, ...more };
  return { name: 'x', backend: 'k8s', place: `secrets.${object}`, optional: false, refreshMs: 1, request };
};

async function policies(more: Partial<KubernetesBackendConfig>, ...secrets: ReturnType<typeof secret>[]) {
  const found = await policiesFor({ config: { ...config, ...more }, secrets, computed: [], isProxied: false });
  return found.map(({ text, notes, kind }) => ({
    kind,
    notes,
    documents: parseAllDocuments(text).map((one) => one.toJS()),
  }));
}

describe('the Roles of a configuration', () => {
  it('name each object and nothing else, one Role for each namespace', async () => {
    const found = await policies(
      { namespace: 'shop' },
      secret('b'),
      secret('a'),
      secret('a', { keys: ['x'] }),
      secret('s', { resource: 'configmaps' }),
      secret('smtp', { namespace: 'shared' }),
    );
    expect(found.map(({ documents }) => documents[0])).toEqual([
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'Role',
        metadata: { name: 'pannier', namespace: 'shop' },
        rules: [
          { apiGroups: [''], resources: ['secrets'], resourceNames: ['a', 'b'], verbs: ['get', 'watch'] },
          { apiGroups: [''], resources: ['configmaps'], resourceNames: ['s'], verbs: ['get', 'watch'] },
        ],
      },
      expect.objectContaining({
        metadata: { name: 'pannier', namespace: 'shared' },
        rules: [{ apiGroups: [''], resources: ['secrets'], resourceNames: ['smtp'], verbs: ['get', 'watch'] }],
      }),
    ]);
    expect(found[0]?.documents[1]).toMatchObject({ kind: 'RoleBinding', roleRef: { kind: 'Role', name: 'pannier' } });
  });

  it('have no namespace where the configuration has none, and say so', async () => {
    const [found] = await policies({}, secret('a'));
    expect(found?.documents[0].metadata).toEqual({ name: 'pannier' });
    expect(found?.notes.join()).toContain('no namespace is configured');
  });

  it('quote names that YAML would take for something else', async () => {
    const [found] = await policies({}, ...['1e3', 'true', '0x1f', '12'].map((name) => secret(name)));
    expect(found?.documents[0].rules[0].resourceNames).toEqual(['0x1f', '12', '1e3', 'true']);
  });
});
