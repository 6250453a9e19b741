import { X509Certificate } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { EXAMPLE_FILE } from '../../scripts/admission-policy/files.ts';
import { systemClock } from '../../src/base/clock.ts';
import { certificateOfFiles } from '../../src/http/serving/pair-of-files.ts';
import { parseCommandLine } from '../cli/command-line.helpers.ts';
import { findHelms, runHelm } from '../servers/helm.ts';
import { writePolicy } from '../servers/openbao-engines.ts';
import { runAgent } from '../system/agent.helpers.ts';
import { baoOf, useScene, useWorld } from '../system/openbao.helpers.ts';
import { isHere, run } from '../templates/programs.helpers.ts';
import { isOfKubernetes, type KubernetesObject, render, restrictedProblems } from './helm.helpers.ts';
import { CHART, RENDERED, renderedManifest } from './rendered.ts';
import { kubernetesProblems } from './schemas.ts';

const helms = await findHelms();
const [helm = 'helm'] = helms;
const sets = globSync('test/fixtures/helm/*.yaml').sort();
const VERSIONS = ['1.34', '1.35', '1.36', '1.37'];
const setOf = (name: string) => [`test/fixtures/helm/${name}.yaml`];

const byName = (one: KubernetesObject, other: KubernetesObject): number =>
  `${one.kind} ${one.metadata.name}` < `${other.kind} ${other.metadata.name}` ? -1 : 1;

/** Paths of all values in a file; a list is one value. */
function pathsOf(value: unknown, above: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [above];
  return Object.entries(value).flatMap(([key, below]) => pathsOf(below, [...above, key]));
}

/** Paths of all values in a file, and of the maps that hold them. */
function nullable(value: object, above = ''): readonly string[] {
  return Object.entries(value).flatMap(([key, below]) => {
    const isMap = typeof below === 'object' && below !== null && !Array.isArray(below);
    return [above + key, ...(isMap ? nullable(below, `${above}${key}.`) : [])];
  });
}

/** All texts of objects, such as those in CEL. */
function textsOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsOf) : [];
}

describe.skipIf(helms.length === 0)('the chart (needs helm: npm run test:chart)', { timeout: 120_000 }, () => {
  it.each(helms)('%s lints it without a warning', async (binary) => {
    const lint = (file: string) => runHelm(binary, ['lint', '--strict', CHART, '--values', file]);
    for (const answer of await Promise.all(sets.map(lint))) expect(answer).toMatchObject({ status: 0 });
  });

  it.each(helms)('%s renders the same bytes twice, and each helm the same objects', async (binary) => {
    for (const file of sets) {
      const [one, other, first] = await Promise.all(
        [binary, binary, helm].map((each) => render(each, { values: [file] })),
      );
      expect([file, one?.error]).toEqual([file, '']);
      expect(other?.text).toBe(one?.text);
      // Helm 4 sorts kinds that it does not know otherwise than Helm 3.
      expect(one?.objects.toSorted(byName)).toEqual(first?.objects.toSorted(byName));
    }
  });

  it('gives objects that the schemas of Kubernetes 1.34 to 1.37 take', async () => {
    const rendered = await Promise.all(sets.map((file) => render(helm, { values: [file] })));
    const objects = rendered.flatMap((one) => one.objects);
    expect(objects.filter(isOfKubernetes).length).toBeGreaterThan(60);
    const isPolicy = ({ kind }: KubernetesObject) => kind.startsWith('MutatingAdmissionPolicy'); // came with 1.36
    const { policies = [], others = [] } = Object.groupBy(objects.filter(isOfKubernetes), (one) =>
      isPolicy(one) ? 'policies' : 'others',
    );
    expect(await kubernetesProblems(others, VERSIONS)).toEqual([]);
    expect(await kubernetesProblems(policies, ['1.36', '1.37'])).toEqual([]);
    expect(policies).toHaveLength(2);
  });

  it.each(sets.map((file) => [basename(file, '.yaml'), file]))('uses each value of %s', async (_, file) => {
    const values = parse(readFileSync(file, 'utf8'));
    const whole = await render(helm, { values: [file] });
    const without = async (path: readonly string[]) => {
      const less = structuredClone(values);
      delete path.slice(0, -1).reduce((at, key) => at[key], less)[path.at(-1) as string];
      const set = Object.entries(less).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
      const { text } = await render(helm, { set });
      return text === whole.text ? [path.join('.')] : [];
    };
    const paths = pathsOf(values).filter(({ length }) => length > 0);
    const nothing = (await Promise.all(paths.map(without))).flat();
    // Own labels win over those of the values, and a namespace that is excluded anyway stays so.
    expect(nothing).toEqual(file.endsWith('/quotes.yaml') ? ['commonLabels.app.kubernetes.io/name'] : []);
  });

  it('gives pods that fit the standard restricted, with a read-only root and limits, but on the network of nodes', async () => {
    for (const file of sets) {
      const spec = (await render(helm, { values: [file] })).of('Deployment')?.spec.template.spec;
      if (spec === undefined) continue;
      expect([file, restrictedProblems(spec)]).toEqual([file, file.includes('on-hosts') ? ['hostNetwork'] : []]);
      for (const { securityContext, resources } of spec.containers) {
        expect(securityContext.readOnlyRootFilesystem).toBe(true);
        expect(resources.limits.memory).toBeDefined();
      }
    }
  });

  it('starts a command that there is, with the names of its webhook and its Service', async () => {
    for (const file of sets) {
      const { of } = await render(helm, { values: [file] });
      const deployment = of('Deployment');
      if (deployment === undefined) continue;
      const { args } = deployment.spec.template.spec.containers[0];
      expect(await parseCommandLine(args)).toBe('injector');
      const { name, namespace } = of('Service').metadata;
      for (const { clientConfig } of of('MutatingWebhookConfiguration').webhooks) {
        expect(clientConfig.service).toEqual({ name, namespace, path: '/mutate', port: 443 });
      }
      if (!args.some((one: string) => one.startsWith('--tls-cert-file='))) {
        expect(args).toContain(`--service=${name}.$(POD_NAMESPACE).svc`);
        expect(args).toContain(`--webhook=${of('MutatingWebhookConfiguration').metadata.name}`);
      }
    }
  });

  it('gives the right to one configuration, and none where the injector does not write caBundle', async () => {
    const own = await render(helm);
    expect(own.of('ClusterRole').rules).toEqual([
      {
        apiGroups: ['admissionregistration.k8s.io'],
        resources: ['mutatingwebhookconfigurations'],
        resourceNames: [own.of('MutatingWebhookConfiguration').metadata.name],
        verbs: ['get', 'patch'],
      },
    ]);
    expect(own.text).not.toContain('caBundle:');
    const given = await render(helm, { values: setOf('secret') });
    expect(given.of('ClusterRole')).toBeUndefined();
    expect(given.of('Deployment').spec.template.spec.automountServiceAccountToken).toBe(false);
    const [{ clientConfig }] = given.of('MutatingWebhookConfiguration').webhooks;
    expect(Buffer.from(clientConfig.caBundle, 'base64').toString()).toContain('BEGIN CERTIFICATE');
  });

  it('keeps values with quotes, colons and words of YAML as they are', async () => {
    const { of } = await render(helm, { values: setOf('quotes') });
    const { metadata, spec } = of('Deployment').spec.template;
    const { agent, podAnnotations } = parse(readFileSync(setOf('quotes')[0] as string, 'utf8'));
    expect(spec.containers[0].args).toEqual(
      expect.arrayContaining([
        `--address=${agent.address}`,
        `--auth-mount=${agent.authMount}`,
        `--audience=${agent.audience}`,
        '--ca-config-map=true',
      ]),
    );
    expect(metadata.annotations).toEqual(podAnnotations);
    expect(metadata.labels).toMatchObject({
      team: 'true',
      number: '1e3',
      'app.kubernetes.io/name': 'pannier-injector',
    });
    const large = (await render(helm, { values: setOf('image') })).of('Deployment').spec.template.spec.containers[0];
    expect(large.securityContext.runAsUser).toBe(1_000_650_000);
  });

  it('names objects as the longest and the oddest release allows', async () => {
    const names = {
      pannier: 'pannier-injector',
      'pannier-injector': 'pannier-injector',
      secrets: 'secrets-pannier-injector',
      '1.2.3': 'r-1-2-3-pannier-injector',
      true: 'true-pannier-injector',
      ['a'.repeat(53)]: `${'a'.repeat(46)}-pannier-injector`,
      [`${'a'.repeat(45)}.${'b'.repeat(7)}`]: `${'a'.repeat(45)}-pannier-injector`,
    };
    const all: KubernetesObject[] = [];
    for (const [release, name] of Object.entries(names)) {
      for (const values of [setOf('default'), setOf('cert-manager')]) {
        const { objects, of, error } = await render(helm, { release, values, namespace: '123' });
        expect([release, error, of('Deployment')?.metadata]).toMatchObject([release, '', { name, namespace: '123' }]);
        for (const { metadata } of objects) expect(metadata.name.length).toBeLessThanOrEqual(63);
        all.push(...objects.filter(isOfKubernetes));
      }
    }
    expect(await kubernetesProblems(all, ['1.37'])).toEqual([]);
  });

  it.each([
    ['replica=3', 'replica'],
    ['image={"tags":"x"}', 'tags'],
    ['image={"repository":"a:b"}', 'repository'],
    ['agent={"address":"vault.example.com"}', 'address'],
    ['webhook={"timeoutSeconds":60}', 'timeoutSeconds'],
    ['webhook={"failurePolicy":"Ignore"}', 'failurePolicy'],
    ['certificate={"source":"vault2"}', 'source'],
    ['certificate={"source":"vault"}', 'agent.address is needed'],
    ['certificate={"source":"secret"}', 'certificate.secretName is needed'],
    ['certificate={"caBundle":"nonsense"}', 'caBundle'],
    ['metrics={"serviceMonitor":{"enabled":true}}', 'needs metrics.enabled'],
    ['metrics={"enabled":true,"port":8443}', 'metrics.port is listen.port'],
    ['replicas="2"', 'replicas'],
    ['replicas=0', 'replicas'],
    ['image={"repository":"UPPER/x"}', 'repository'],
    ['podLabels={"a":1}', 'podLabels'],
    ['fullnameOverride="1-injector"', 'fullnameOverride'],
    [`fullnameOverride="${'a'.repeat(64)}"`, 'fullnameOverride'],
    ['resources={"limits":{"memory":"192 MB"}}', 'memory'],
    ['tolerations=[{"keys":"x"}]', 'keys'],
    ['runAsUser=0', 'runAsUser'],
    [
      'topologySpreadConstraints=[{"maxSkew":1,"topologyKey":"x","whenUnsatisfiable":"ScheduleAnyway","minDomains":2}]',
      'whenUnsatisfiable',
    ],
  ])('names what is wrong in %s', async (set, named) => {
    for (const binary of helms) {
      const { error } = await render(binary, { set: [set] });
      expect(error).toContain(named);
    }
  });

  it('spreads its pods as it is told, over so many domains at least', async () => {
    const { of } = await render(helm, { values: setOf('scheduling') });
    const { selector, template } = of('Deployment').spec;
    expect(template.spec.topologySpreadConstraints).toEqual([
      {
        maxSkew: 2,
        minDomains: 3,
        topologyKey: 'kubernetes.io/hostname',
        whenUnsatisfiable: 'DoNotSchedule',
        labelSelector: selector,
      },
    ]);
  });

  it('of a value that is null gives what an empty one does, or names it by the schema', {
    timeout: 300_000,
  }, async () => {
    const all: KubernetesObject[] = [];
    for (const path of nullable(parse(readFileSync(`${CHART}/values.yaml`, 'utf8')))) {
      const isTop = !path.includes('.');
      const ways = (isTop ? helms : [helm]).map((binary) => [binary, []] as const);
      for (const [binary, values] of [...ways, [helm, setOf('vault')] as const]) {
        const set = ['admissionPolicy={"enabled":true}', `${path}=null`];
        const { error, text, objects } = await render(binary, { set, values });
        const told = error === '' || /missing propert|is required|is needed with/.test(error);
        expect([path, told, error]).toEqual([path, true, told ? error : 'the schema says it']);
        if (error !== '') expect(error).toContain(path.split('.').at(-1));
        expect([path, /<no value>|%!/.test(text)]).toEqual([path, false]);
        // The types of CEL refuse a null among texts, and so the API server the whole policy.
        expect([path, textsOf(objects).filter((one) => /[:,([]\s*null\b/.test(one))]).toEqual([path, []]);
        all.push(...objects.filter(isOfKubernetes));
      }
    }
    expect(await kubernetesProblems(all, ['1.37'])).toEqual([]);
  });

  it('installs nothing of the injector when the webhook is off', async () => {
    expect((await render(helm, { values: setOf('off') })).objects).toEqual([]);
  });

  it('gives the policies of the manifest, but for names, namespaces and defaults', async () => {
    const { objects } = await render(helm, { set: ['admissionPolicy={"enabled":true}', 'webhook={"enabled":false}'] });
    const manifest = parseAllDocuments(readFileSync(EXAMPLE_FILE, 'utf8')).map((document) => document.toJS());
    const essence = ({ kind, spec }: KubernetesObject) => {
      const { matchConstraints: _, policyName: __, variables = [], ...rest } = spec;
      const kept = variables.filter(({ name }: KubernetesObject) => name !== 'defaults');
      return { kind, ...rest, variables: kept };
    };
    expect(objects.map(essence)).toEqual(expect.arrayContaining(manifest.map(essence)));
    expect(objects).toHaveLength(manifest.length);
  });

  it('passes values with quotes on to the policies as they are', async () => {
    const { audience } = parse(readFileSync(setOf('policy')[0] as string, 'utf8')).agent;
    const { of } = await render(helm, { values: setOf('policy') });
    const [{ expression }] = of('MutatingAdmissionPolicy').spec.variables;
    const [, text = ''] = /'audience': (".*"),/.exec(expression) ?? [];
    expect(JSON.parse(text)).toBe(audience);
  });

  it.each(RENDERED)('%s is what npm run chart makes of it', async (path) => {
    expect(readFileSync(path, 'utf8')).toBe(await renderedManifest(helm));
  });

  it('tells after the installation what to wait for', async () => {
    const args = ['install', 'pannier', CHART, '--namespace', 'security', '--dry-run=client'];
    const { status, out } = await runHelm(helm, args);
    expect([status, out]).toEqual([
      0,
      expect.stringContaining('-n security rollout status deployment/pannier-injector'),
    ]);
  });
});

describe.skipIf(helms.length === 0)('the chart with a certificate of OpenBao (needs helm: npm run test:chart)', () => {
  const scene = useScene();
  const world = useWorld();

  it('has an agent that gets the certificate, which the injector takes', { timeout: 120_000 }, async () => {
    const set = ['certificate.vault.mount="pki"', 'certificate.vault.role="shop"'];
    const { of } = await render(helm, { namespace: 'shop', values: setOf('vault'), set });
    await writePolicy(world().bao, 'shop', 'path "pki/sign/shop" { capabilities = ["update"] }');
    const { dir, config } = await scene.place();
    const { secrets, outputs } = parse(of('ConfigMap').data['pannier.yaml']);
    const { files } = outputs.tls;
    const path = await config({
      backends: { vault: baoOf(world()) },
      secrets,
      outputs: { tls: { dir: join(dir, 'tls'), files } },
    });
    const { status, output } = await runAgent(['init', '-c', path, '--timeout', '20s']);
    expect([status, status === 0 ? '' : output()]).toEqual([0, '']);
    const [certFile, keyFile] = [join(dir, 'tls', 'tls.crt'), join(dir, 'tls', 'tls.key')];
    const { certificate } = await certificateOfFiles({ certFile, keyFile, clock: systemClock, emit: () => {} }).first();
    expect(new X509Certificate(certificate).checkHost('pannier-injector.shop.svc')).toBeDefined();
    const { args, volumeMounts } = of('Deployment').spec.template.spec.containers[0];
    expect(args).toContain('--tls-cert-file=/run/tls/tls.crt');
    expect(outputs.tls.dir).toBe(volumeMounts[0].mountPath);
  });
});

describe.skipIf(!isHere('kubectl'))('the overlays of Kustomize (need kubectl)', { timeout: 60_000 }, () => {
  const built = async (overlay: string): Promise<readonly KubernetesObject[]> => {
    const { stdout } = await run('kubectl', ['kustomize', `examples/kustomize/${overlay}`]);
    return parseAllDocuments(stdout).map((document) => document.toJS());
  };
  const of = (objects: readonly KubernetesObject[], kind: string) => objects.find((one) => one.kind === kind);

  it('the base has the objects of the manifest', async () => {
    const objects = await built('base');
    expect(objects.map(({ kind }) => kind)).toContain('MutatingWebhookConfiguration');
    expect(await kubernetesProblems(objects, VERSIONS)).toEqual([]);
  });

  it('one overlay names another image, which pods get too, and another address', async () => {
    const objects = await built('overlays/registry');
    const [{ image, args }] = of(objects, 'Deployment').spec.template.spec.containers;
    expect(image).toBe('registry.example.com/security/pannier:0.1.0');
    expect(args).toContain(`--image=${image}`);
    expect(args).toContain('--address=https://vault.example.com:8200');
    expect(await parseCommandLine(args)).toBe('injector');
    expect(await kubernetesProblems(objects, VERSIONS)).toEqual([]);
  });

  it('the namespace of an overlay is the one of every object, and of the certificate', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'kustomize-'));
    await cp('examples/kustomize/base', join(dir, 'base'), { recursive: true });
    await writeFile(join(dir, 'kustomization.yaml'), 'namespace: security\nresources: [base]\n');
    const objects = parseAllDocuments((await run('kubectl', ['kustomize', dir])).stdout).map((one) => one.toJS());
    await rm(dir, { recursive: true });
    const { args, env } = of(objects, 'Deployment').spec.template.spec.containers[0];
    expect(args).toContain('--service=pannier-injector.$(POD_NAMESPACE).svc');
    expect(env).toEqual([{ name: 'POD_NAMESPACE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } }]);
    expect(JSON.stringify(args)).not.toContain('pannier.svc');
    for (const { clientConfig } of of(objects, 'MutatingWebhookConfiguration').webhooks) {
      expect(clientConfig.service.namespace).toBe('security');
    }
  });

  it('a component adds the admission policies', async () => {
    const objects = await built('overlays/with-policy');
    expect(of(objects, 'MutatingAdmissionPolicy').metadata.name).toBe('pannier-agent');
    expect(of(objects, 'Deployment').spec.replicas).toBe(2);
    expect(await kubernetesProblems(objects, ['1.36', '1.37'])).toEqual([]);
  });

  it('the other has one replica and no PodDisruptionBudget', async () => {
    const objects = await built('overlays/one-replica');
    expect(of(objects, 'Deployment').spec.replicas).toBe(1);
    expect(of(objects, 'PodDisruptionBudget')).toBeUndefined();
  });
});
