import { basename } from 'node:path';
import { describe, expect, it } from 'vitest';
import { IS_INJECTED } from '../../scripts/admission-policy/checks.ts';
import { parseCommandLine } from '../cli/command-line.helpers.ts';
import { type Manifest, manifests } from './configurations.ts';
import { kubernetesProblems } from './schemas.ts';

interface Container {
  readonly name: string;
  readonly image: string;
  readonly args?: readonly string[];
  readonly restartPolicy?: string;
  readonly startupProbe?: { readonly exec: { readonly command: readonly string[] } };
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly resources?: { readonly limits: object };
  readonly env?: readonly { readonly valueFrom?: { readonly fileKeyRef?: { readonly volumeName: string } } }[];
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean }[];
}

interface Pod {
  readonly serviceAccountName: string;
  readonly shareProcessNamespace?: boolean;
  readonly securityContext: {
    readonly runAsNonRoot: boolean;
    readonly fsGroup: number;
    readonly seccompProfile: object;
  };
  readonly initContainers: readonly Container[];
  readonly containers: readonly Container[];
  readonly volumes: readonly ({ readonly name: string } & Record<string, unknown>)[];
}

const files = manifests();
const INJECTOR = 'examples/kubernetes/injector.yaml';
const pods: [string, Pod][] = [...files].flatMap(([file, objects]) =>
  file.endsWith('/injector.yaml') ? [] : objects.flatMap(podOf).map((pod) => [file, pod]),
);
const of = (name: string): Pod => pods.find(([file]) => file.endsWith(`/${name}.yaml`))?.[1] as Pod;
const agents = ({ initContainers, containers }: Pod) =>
  [...initContainers, ...containers].filter(({ image }) => image.startsWith('pannier:'));

describe('the manifests', () => {
  it('match the schemas of Kubernetes, without unknown keys', { timeout: 120_000 }, async () => {
    expect(pods.length).toBeGreaterThan(5);
    // `fileKeyRef` and `podCertificate` came with 1.34, and admission policies that change objects with 1.36.
    const oldest: Readonly<Record<string, string>> = {
      'env-file.yaml': '1.35',
      'pod-certificate.yaml': '1.35',
      'admission-policy.yaml': '1.36',
    };
    const byOldest = Map.groupBy(files, ([file]) => oldest[basename(file)] ?? '1.29');
    for (const [version, some] of byOldest) {
      expect(
        await kubernetesProblems(
          some.flatMap(([, objects]) => objects),
          version,
        ),
      ).toEqual([]);
    }
    expect([...byOldest.keys()].sort()).toEqual(['1.29', '1.35', '1.36']);
  });

  it('the schemas do notice a wrong key', { timeout: 120_000 }, async () => {
    const problems = await kubernetesProblems([{ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { nam: 'x' } }]);
    expect(problems.length).toBeGreaterThan(0);
  });

  it('a native sidecar, an init container, both, shared processes and a job are among them', () => {
    expect(of('init-container').initContainers.map(({ args }) => args?.[0])).toEqual(['init']);
    for (const name of ['sidecar', 'shared-pid', 'job']) {
      const [agent] = of(name).initContainers;
      expect(agent?.restartPolicy).toBe('Always');
      expect(agent?.startupProbe?.exec.command).toEqual(['pannier', 'probe', 'startup']);
    }
    expect(of('init-and-sidecar').containers.map(({ args }) => args?.[0])).toContain('run');
    const shared = of('shared-pid');
    expect(shared.shareProcessNamespace).toBe(true);
    const users = [...shared.initContainers, ...shared.containers].map(
      ({ securityContext }) => securityContext['runAsUser'],
    );
    expect(new Set(users).size).toBe(1);
  });

  it.each(pods)('%s: secrets are in memory, with a limit, and only the agent may write them', (_, pod) => {
    const volume = pod.volumes.find(({ name }) => name === 'secrets');
    expect(volume?.['emptyDir']).toEqual({ medium: 'Memory', sizeLimit: '1Mi' });
    for (const container of [...pod.initContainers, ...pod.containers]) {
      if (container.env?.some(({ valueFrom }) => valueFrom?.fileKeyRef?.volumeName === 'secrets')) continue;
      const mount = container.volumeMounts?.find(({ name }) => name === 'secrets');
      expect([container.name, mount?.readOnly ?? false]).toEqual([container.name, !agents(pod).includes(container)]);
    }
  });

  it.each(pods)('%s: no container is root, may become root, or writes outside of volumes', (_, pod) => {
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
    for (const { securityContext } of [...pod.initContainers, ...pod.containers]) {
      expect(securityContext).toMatchObject({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
    }
    for (const agent of agents(pod)) expect(agent.resources?.limits).toBeDefined();
  });

  it.each(pods)('%s: the agent is given a command that exists, and mounts volumes that exist', async (_, pod) => {
    for (const { args = [], startupProbe, volumeMounts = [] } of agents(pod)) {
      expect(['init', 'run']).toContain(await parseCommandLine(args));
      if (startupProbe !== undefined) expect(await parseCommandLine(startupProbe.exec.command.slice(1))).toBe('probe');
      const volumes = pod.volumes.map(({ name }) => name);
      expect(volumeMounts.map(({ name }) => name).filter((name) => !volumes.includes(name))).toEqual([]);
    }
  });

  it('accounts and ConfigMaps that a manifest names are defined in the same file', () => {
    for (const [file, objects] of files) {
      const names = (kind: string) => objects.filter((one) => one.kind === kind).map(nameOf);
      for (const pod of objects.flatMap(podOf)) {
        expect([file, names('ServiceAccount')]).toEqual([file, [pod.serviceAccountName]]);
        const maps = (pod.volumes ?? []).flatMap(
          ({ configMap }) => (configMap as { name: string } | undefined)?.name ?? [],
        );
        // The cluster provides the ConfigMap with the certificate of the backend.
        expect([file, maps.filter((name) => name !== 'bao-ca')]).toEqual([file, names('ConfigMap')]);
      }
    }
  });
});

describe('the manifest of the injector', () => {
  // biome-ignore lint/suspicious/noExplicitAny: objects of Kubernetes are taken apart freely
  const objects: readonly any[] = files.get(INJECTOR) ?? [];
  const object = (kind: string) => objects.find((one) => one.kind === kind);
  const [container] = object('Deployment').spec.template.spec.containers;
  const { webhooks, metadata } = object('MutatingWebhookConfiguration');

  it('starts a command that there is, with the names of its webhook and its Service', async () => {
    const { args } = container;
    expect(await parseCommandLine(args)).toBe('injector');
    const { name, namespace } = object('Service').metadata;
    expect(args).toContain(`--webhook=${metadata.name}`);
    expect(args).toContain(`--service=${name}.$(POD_NAMESPACE).svc`);
    for (const { clientConfig } of webhooks) {
      expect(clientConfig).toEqual({ service: { name, namespace, path: '/mutate', port: 443 } });
    }
  });

  it('may read and patch the configuration of its own webhook, and nothing else', () => {
    expect(object('ClusterRole').rules).toEqual([
      {
        apiGroups: ['admissionregistration.k8s.io'],
        resources: ['mutatingwebhookconfigurations'],
        resourceNames: [metadata.name],
        verbs: ['get', 'patch'],
      },
    ]);
  });

  it('fails closed, asks about annotated pods alone, and is open only in namespaces with the label', () => {
    expect(webhooks.map(({ failurePolicy }: { failurePolicy: string }) => failurePolicy)).toEqual(['Fail', 'Ignore']);
    for (const { sideEffects, reinvocationPolicy, matchConditions, rules, admissionReviewVersions } of webhooks) {
      expect([sideEffects, reinvocationPolicy, admissionReviewVersions]).toEqual(['None', 'IfNeeded', ['v1']]);
      expect(matchConditions[0].expression).toContain("name.startsWith('pannier.dev/')");
      expect(matchConditions[1].expression).toBe(`!(${IS_INJECTED.replaceAll('\n', ' ')})`);
      expect(rules[0]).toMatchObject({ resources: ['pods'], operations: ['CREATE'] });
    }
    const [closed, open] = webhooks.map((one: { namespaceSelector: { matchExpressions: object[] } }) =>
      one.namespaceSelector.matchExpressions.at(-1),
    );
    expect([closed, open]).toEqual([
      { key: 'pannier.dev/failure-policy', operator: 'NotIn', values: ['ignore'] },
      { key: 'pannier.dev/failure-policy', operator: 'In', values: ['ignore'] },
    ]);
  });

  it('runs as an ordinary user without rights, with limits', () => {
    expect(object('Deployment').spec.template.spec.securityContext).toMatchObject({ runAsNonRoot: true });
    expect(container.securityContext).toEqual({
      runAsUser: 65532,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(container.resources.limits.memory).toBeDefined();
  });
});

function podOf({ kind, spec }: Manifest): Pod[] {
  return ['Deployment', 'Job'].includes(kind) ? [(spec as { template: { spec: Pod } }).template.spec] : [];
}

const nameOf = ({ metadata }: Manifest): string => (metadata as { name: string }).name;
