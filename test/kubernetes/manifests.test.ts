import { globSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { type KubernetesObject, noKubernetes } from '../servers/kubernetes.ts';
import { apply, createPod, onKubernetes, RESTRICTED, useKubernetes } from './cluster.helpers.ts';

/** Where manifests are; a file of another kind, and the source of a chart's templates, is passed over. */
const FOLDERS = ['examples', 'deploy'];

/** The namespace of what names none. */
const NAMESPACE = 'shop';

const manifests: readonly [string, readonly KubernetesObject[]][] = FOLDERS.flatMap((folder) =>
  globSync(`${folder}/**/*.yaml`),
)
  .filter((file) => !file.includes('/templates/'))
  .sort()
  .map((file): [string, readonly KubernetesObject[]] => [file, objectsIn(readFileSync(file, 'utf8'))])
  .filter(([, objects]) => objects.length > 0);

function objectsIn(text: string): readonly KubernetesObject[] {
  const documents = parseAllDocuments(text) as { toJS(): KubernetesObject }[];
  const isOfCluster = (object: KubernetesObject) => object?.apiVersion !== undefined && object.kind !== undefined;
  // The `kustomization.yaml` of a folder is for `kubectl`.
  return documents
    .map((document) => document.toJS())
    .filter((object) => isOfCluster(object) && !['Kustomization', 'Component'].includes(object.kind));
}

/** The template of a workload's pods, as the pod that a controller makes. */
function podsOf({ kind, spec, metadata }: KubernetesObject): readonly KubernetesObject[] {
  if (kind === 'Pod') return [{ kind, spec, metadata }];
  const template = kind === 'CronJob' ? spec.jobTemplate.spec.template : spec?.template;
  if (template?.spec?.containers === undefined) return [];
  const { namespace } = metadata;
  // The controller of a StatefulSet makes the claims, and volumes of them.
  const claims = (spec.volumeClaimTemplates ?? []).map(({ metadata: { name } }: KubernetesObject) => ({
    name,
    persistentVolumeClaim: { claimName: `${name}-0` },
  }));
  const pod = { ...template.spec, volumes: [...(template.spec.volumes ?? []), ...claims] };
  return [{ spec: pod, metadata: { ...template.metadata, namespace, generateName: `${metadata.name}-` } }];
}

const server = useKubernetes();

describe.skipIf(noKubernetes !== undefined)(onKubernetes('a manifest'), () => {
  beforeAll(async () => {
    const named = manifests.flatMap(([, objects]) => objects.map(({ metadata }) => metadata.namespace));
    for (const name of new Set([NAMESPACE, ...named])) {
      if (name !== undefined && name !== 'default') await server().addNamespace(name, RESTRICTED);
    }
  });

  it('is of more than eight files', () => {
    expect(manifests.length).toBeGreaterThan(8);
  });

  it.each(manifests)('%s: is taken whole and without a warning', async (_, objects) => {
    for (const object of objects) {
      const { status, body, warnings } = await apply(server(), object, { namespace: NAMESPACE, dryRun: true });
      expect([object.kind, body.message, warnings]).toEqual([object.kind, undefined, []]);
      expect(status).toBeLessThan(300);
    }
  });

  it.each(manifests.filter(([, objects]) => objects.flatMap(podsOf).length > 0))(
    '%s: its pods are taken where the standard "restricted" holds',
    async (_, objects) => {
      for (const pod of objects.flatMap(podsOf)) {
        const namespace = pod.metadata.namespace ?? NAMESPACE;
        const name = pod.spec.serviceAccountName;
        const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } };
        if (name !== undefined) expect((await apply(server(), account)).status).toBeLessThan(300);
        const { status, body, warnings } = await createPod(server(), pod, { namespace, dryRun: true });
        expect([status, body.message, warnings]).toEqual([201, undefined, []]);
      }
    },
  );
});
