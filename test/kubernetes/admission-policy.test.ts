import { beforeAll, describe, expect, it } from 'vitest';
import { SHAPES } from '../injector/pods.ts';
import { answerTo, patched } from '../injector/review.helpers.ts';
import { type KubernetesObject, noKubernetes } from '../servers/kubernetes.ts';
import { apply, createPod, onKubernetes, RESTRICTED, useKubernetes } from './cluster.helpers.ts';
import {
  ALONE,
  again,
  BY_MAP,
  essence,
  installPolicies,
  objectsOf,
  POLICY_DEFAULTS,
  podWith,
} from './policies.helpers.ts';

const server = useKubernetes();

/** Annotations that say what is in the ConfigMap otherwise. */
const INSTEAD = /^pannier\.dev\/(?:config$|reload$|address$|namespace$|auth-mount$|role$|secret-|file-)/;

/** The pods of the injector's tests, with their configuration in a ConfigMap: other annotations stay as they are. */
const BY_CONFIG_MAP = SHAPES.filter(({ pod }) => pod.metadata?.annotations?.['pannier.dev/inject'] !== undefined).map(
  ({ name, pod }) => {
    const kept = Object.entries(pod.metadata.annotations).filter(([one]) => !INSTEAD.test(one));
    const annotations = { ...Object.fromEntries(kept), 'pannier.dev/config-map': 'shop' };
    return { name: `${name}, with a ConfigMap`, pod: { ...pod, metadata: { ...pod.metadata, annotations } } };
  },
);

/** What the policy says of pods that the injector would take. */
const INJECTOR_ONLY =
  /needs the injector|must be one of sidecar, init|must be one absolute path, in its shortest form|or at a path with|must be the name of an image|config-map is missing|neither the admission policy/;

const PREFIX =
  "ValidatingAdmissionPolicy 'pannier-agent-required' with binding 'pannier-agent-required' denied request: ";

describe.skipIf(noKubernetes !== undefined)(onKubernetes('the admission policies'), () => {
  beforeAll(async () => {
    await server().addServiceAccount(ALONE, 'default');
    await server().addServiceAccount('default', 'default');
    await server().addNamespace('shop');
    await server().addNamespace('strict', RESTRICTED);
    await server().addNamespace('lenient', { 'pannier.dev/failure-policy': 'ignore' });
    await installPolicies(server());
  });

  const create = (pod: KubernetesObject, namespace = 'shop') => createPod(server(), pod, { namespace });
  const denial = async (pod: KubernetesObject): Promise<string> => {
    const { status, body } = await create(pod);
    expect([status, body.message]).toEqual([422, expect.stringContaining(PREFIX)]);
    expect(body.message).not.toMatch(/\n/);
    return body.message.slice(body.message.indexOf(PREFIX) + PREFIX.length);
  };

  it.each([...SHAPES, ...BY_CONFIG_MAP])('$name: the pod is what the injector makes, or denied', async ({ pod }) => {
    const alone = await createPod(server(), pod, { namespace: ALONE, dryRun: true });
    const made = await create(pod);
    if (alone.status >= 400) return expect(made.status).toBe(alone.status);
    const answer = await answerTo(again(alone.body), POLICY_DEFAULTS);
    if (made.status === 422) {
      expect(made.body.message).toContain(PREFIX);
      expect(made.body.message).not.toMatch(/\n/);
      if (answer.denied === undefined) expect(made.body.message).toMatch(INJECTOR_ONLY);
      return undefined;
    }
    expect([made.status, made.body.message, made.warnings]).toEqual([201, undefined, alone.warnings]);
    const isAsking = Object.keys(pod.metadata?.annotations ?? {}).some((name) => name.startsWith('pannier.dev/'));
    if (!isAsking) return expect(essence(made.body)).toEqual(essence(alone.body));
    expect(answer.denied).toBeUndefined();
    const whole = patched(again(alone.body), answer);
    const expected = await createPod(server(), whole, { namespace: ALONE, dryRun: true });
    expect(essence(made.body)).toEqual(essence(expected.body));
    const once = await create(again(made.body));
    expect(essence(once.body)).toEqual(essence(made.body));
    return undefined;
  });

  it('takes most of the pods of the injector when their configuration is in a ConfigMap', async () => {
    const made = await Promise.all(BY_CONFIG_MAP.map(({ pod }) => create(pod)));
    const injected = made.filter(({ body }) => body.metadata?.annotations?.['pannier.dev/status'] === 'injected');
    expect(injected.length).toBeGreaterThanOrEqual(25);
  });

  const settings: readonly Readonly<Record<string, string>>[] = [
    { 'volume-path': '/run/secrets/shop', 'size-limit': '16Mi', 'log-level': 'debug' },
    { image: 'registry.example/pannier:1', 'requests-cpu': '5m', 'requests-memory': '48Mi' },
    { 'limits-cpu': '1', 'limits-memory': '64Mi', 'token-expiry': '2h30m', 'start-within': '90s' },
    { 'ca-config-map': 'other-ca', audience: 'vault', mode: 'init', 'start-within': '1h' },
    { 'run-as-user': '2147483647', 'run-as-group': '0', 'share-processes': 'TRUE', inject: 'T' },
    { 'requests-memory': '256Mi', 'requests-cpu': '1.5' },
    { 'limits-memory': '32Mi', 'limits-cpu': '10m' },
    { 'requests-memory': '1e8', 'limits-memory': '100M', 'limits-cpu': '20m' },
    { 'share-processes': 'false', order: 'after', 'effective-config': 'of another pod' },
  ];

  it.each(settings)('%j: every setting is as the injector makes it', async (more) => {
    const pod = podWith({ ...BY_MAP, ...more });
    const alone = await createPod(server(), pod, { namespace: ALONE, dryRun: true });
    const answer = await answerTo(again(alone.body), POLICY_DEFAULTS);
    const expected = await createPod(server(), patched(again(alone.body), answer), { namespace: ALONE, dryRun: true });
    const made = await create(pod);
    expect(made.body.metadata.annotations['pannier.dev/status']).toBe('injected');
    expect(essence(made.body)).toEqual(essence(expected.body));
  });

  it('names all that is wrong on one line, and what only the injector takes', async () => {
    const own = { inject: 'true', rol: 'x', env: 'A', 'secret-db': '{}', mode: 'both', 'run-as-user': '0' };
    expect(await denial(podWith(own))).toBe(
      'pannier.dev/rol is unknown; ' +
        'pannier.dev/env needs the injector: the admission policy does not take it; ' +
        'pannier.dev/secret-db needs the injector: the admission policy does not take it; ' +
        'pannier.dev/config-map is missing: the admission policy takes no other configuration; ' +
        'pannier.dev/mode must be one of sidecar, init; ' +
        'pannier.dev/run-as-user must be a number from 1 to 2147483647',
    );
  });

  const values: readonly (readonly [string, string, string])[] = [
    ['config-map', 'Shop', 'must be the name of an object'],
    ['config-map', '', 'must be the name of an object'],
    ['order', 'first', 'must be one of before, after'],
    ['volume-path', 'run/secrets', 'must be one absolute path, in its shortest form'],
    ['volume-path', '/run/a,/run/b', 'must be one absolute path, in its shortest form'],
    ['volume-path', '/run/a\n', 'must be one absolute path, in its shortest form'],
    ['volume-path', '/run//a', 'must be one absolute path, in its shortest form'],
    ['volume-path', '/run/../a', 'must be one absolute path, in its shortest form'],
    ['volume-path', '/run/a/.', 'must be one absolute path, in its shortest form'],
    ['volume-path', '/etc/pannier/a', 'is in a directory of the agent: use another one'],
    ['volume-path', '/etc', 'would hide files of the application: use a directory of its own'],
    ['size-limit', '4 Mi', 'must be a quantity such as 4Mi, and more than 0'],
    ['requests-cpu', 'much', 'must be a quantity such as 100m or 64Mi'],
    ['image', '  ', 'must be the name of an image'],
    ['image', 'a b', 'must be the name of an image'],
    ['audience', ' ', 'is empty'],
    ['config-map', 'a..b', 'must be the name of an object'],
    ['run-as-group', '4294967295', 'must be a number from 0 to 2147483647'],
    ['token-expiry', '9m', 'must be a duration from 600s to 86400s in hours, minutes and seconds, such as 10m'],
    [
      'token-expiry',
      '999999h999999m',
      'must be a duration from 600s to 86400s in hours, minutes and seconds, such as 10m',
    ],
    ['token-expiry', '10m1e9s', 'must be a duration from 600s to 86400s in hours, minutes and seconds, such as 10m'],
    ['start-within', '', 'must be a duration from 1s to 86400s in hours, minutes and seconds, such as 10m'],
    ['share-processes', 'yes', 'must be "true" or "false"'],
    ['log-level', 'loud', 'must be one of trace, debug, info, warn, error, silent'],
    ['metrics-port', '9464', 'needs the injector: the admission policy does not take it'],
  ];

  it.each(values)('%s: %j is denied and named', async (name, value, seen) => {
    expect(await denial(podWith({ ...BY_MAP, [name]: value }))).toBe(`pannier.dev/${name} ${seen}`);
  });

  it('denies a request that is more than its limit', async () => {
    const own = { 'requests-memory': '101M', 'limits-memory': '1e8', 'requests-cpu': '2', 'limits-cpu': '1999m' };
    expect(await denial(podWith({ ...BY_MAP, ...own }))).toBe(
      'pannier.dev/requests-cpu is more than pannier.dev/limits-cpu; ' +
        'pannier.dev/requests-memory is more than pannier.dev/limits-memory',
    );
  });

  it('denies pods that say nothing clear about the agent', async () => {
    expect(await denial(podWith({ ...BY_MAP, inject: 'maybe' }))).toBe('pannier.dev/inject must be "true" or "false"');
    expect(await denial(podWith({ ...BY_MAP, inject: '' }))).toBe('pannier.dev/inject must be "true" or "false"');
    expect(await denial(podWith({ 'config-map': 'shop', audience: 'x' }))).toBe(
      'pannier.dev/inject is missing beside pannier.dev/audience: "true" or "false"',
    );
    expect((await create(podWith({ inject: 'False', nonsense: 'x' }))).status).toBe(201);
  });

  it('denies containers, volumes and mounts that are in the way, and Windows', async () => {
    const mount = { name: 'x', mountPath: '/run//secrets/./pannier/' };
    const spec = {
      os: { name: 'windows' },
      containers: [{ name: 'pannier', image: 'x', volumeMounts: [mount] }],
      volumes: [
        { name: 'pannier-run', emptyDir: {} },
        { name: 'x', emptyDir: {} },
      ],
    };
    expect(await denial(podWith(BY_MAP, spec))).toBe(
      'spec.os is windows: the agent runs on Linux; container pannier is in the pod already: rename it; ' +
        'volume pannier-run is in the pod already: rename it; ' +
        'container pannier mounts another volume at the place of the files, or at a path with ".."',
    );
    const init = { containers: [{ name: 'app', image: 'x' }], volumes: spec.volumes };
    expect((await create(podWith({ ...BY_MAP, mode: 'init' }, init))).status).toBe(201);
  });

  it('counts what is wrong beyond ten', async () => {
    const many = Object.fromEntries(Array.from({ length: 15 }, (_, index) => [`x${index + 10}`, 'x']));
    const message = await denial(podWith({ ...BY_MAP, ...many }));
    expect(message).toMatch(/^pannier\.dev\/x10 is unknown; .*pannier\.dev\/x19 is unknown; 5 more$/);
  });

  it('a status that was copied without an agent does not count', async () => {
    expect((await create(podWith({ ...BY_MAP, status: 'injected' }))).body.spec.initContainers[0].name).toBe('pannier');
    const message = await denial(podWith({ inject: 'true', status: 'injected', role: 'x' }));
    expect(message).toContain('pannier.dev/role needs the injector');
  });

  it('leaves pods alone that ask another injector, and denies those that Pannier should have seen', async () => {
    const other = podWith({});
    other.metadata.annotations = { 'vault.hashicorp.com/agent-inject': 'true' };
    const { status, body } = await create(other);
    expect([status, body.spec.initContainers]).toEqual([201, undefined]);
    other.metadata.annotations['pannier.dev/mode'] = 'init';
    expect(await denial(other)).toBe(
      'neither the admission policy nor an injector has injected the agent that the pod asks for',
    );
    const both = podWith(BY_MAP);
    both.metadata.annotations['vault.hashicorp.com/agent-inject'] = 'false';
    expect((await create(both)).body.spec.initContainers[0].name).toBe('pannier');
    both.metadata.annotations['openbao.org/role'] = 'shop';
    expect(await denial(both)).toBe('openbao.org/role needs the injector: the admission policy does not take it');
  });

  it('warns where pods may start without their secrets', async () => {
    const { status, warnings } = await create(podWith({ inject: 'true', role: 'x', 'config-map': 'shop' }), 'lenient');
    expect(status).toBe(201);
    expect(warnings).toEqual([expect.stringContaining('pannier.dev/role needs the injector')]);
    expect((await create(podWith(BY_MAP), 'lenient')).body.spec.initContainers[0].name).toBe('pannier');
  });

  it('the agent keeps the standard "restricted"', async () => {
    const securityContext = { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } };
    const container = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };
    const spec = { securityContext, containers: [{ name: 'app', image: 'shop:1', securityContext: container }] };
    for (const mode of ['sidecar', 'init']) {
      const { status, body, warnings } = await create(podWith({ ...BY_MAP, mode }, spec), 'strict');
      expect([status, body.message, warnings]).toEqual([201, undefined, []]);
      expect(body.spec.initContainers[0].securityContext.runAsUser).toBe(1000);
    }
  });

  it('takes a pod of sixty containers with two thousand annotations of others', async () => {
    const pod = podWith(BY_MAP, {
      initContainers: Array.from({ length: 20 }, (_, index) => ({ name: `init-${index}`, image: 'x' })),
      containers: Array.from({ length: 40 }, (_, index) => ({ name: `app-${index}`, image: 'x' })),
    });
    for (let index = 0; index < 2000; index++)
      pod.metadata.annotations[`example.org/${'n'.repeat(40)}-${index}`] = 'v'.repeat(40);
    const { status, body } = await create(pod);
    expect([status, body.message]).toEqual([201, undefined]);
    expect(body.spec.containers[39].volumeMounts.at(-1).name).toBe('pannier-secrets');
    expect(body.spec.initContainers[20].volumeMounts.at(-1).name).toBe('pannier-secrets');
  });

  it('is not asked about changes: annotations, and containers for debugging', async () => {
    const { body } = await create(podWith(BY_MAP));
    const path = `/api/v1/namespaces/shop/pods/${body.metadata.name}`;
    const contentType = 'application/strategic-merge-patch+json';
    const patch = { metadata: { annotations: { 'pannier.dev/mode': 'nonsense' } } };
    const { status, body: changed } = await server().ask('PATCH', path, patch, { contentType });
    expect([status, changed.spec]).toEqual([200, body.spec]);
    const debug = { spec: { ephemeralContainers: [{ name: 'debug', image: 'x' }] } };
    const answer = await server().ask('PATCH', `${path}/ephemeralcontainers`, debug, { contentType });
    expect([answer.status, answer.body.message]).toEqual([200, undefined]);
  });

  it('injects while no injector answers: only pods that need one are denied', async () => {
    for (const object of objectsOf('examples/kubernetes/injector.yaml')) {
      const { status, body } = await apply(server(), object);
      expect([object.kind, status < 400, body.message]).toEqual([object.kind, true, undefined]);
    }
    const byParts = podWith({ inject: 'true', role: 'shop', 'secret-app': '{ kv: a/b }', 'file-a': '{ from: app }' });
    try {
      await expect.poll(async () => (await create(byParts)).body.message).toContain('closed.injector.pannier.dev');
      const { status, body } = await create(podWith(BY_MAP));
      expect([status, body.message]).toEqual([201, undefined]);
      expect(body.spec.initContainers[0].name).toBe('pannier');
      expect((await create(podWith({ inject: 'true', role: 'x' }))).body.message).toMatch(/failed calling webhook/);
    } finally {
      const path = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/pannier-injector';
      await server().api('DELETE', path);
    }
  });
});
