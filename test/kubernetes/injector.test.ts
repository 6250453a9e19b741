import { beforeAll, describe, expect, it } from 'vitest';
import { SHAPES } from '../injector/pods.ts';
import { answerTo, patched } from '../injector/review.helpers.ts';
import { type KubernetesObject, noKubernetes } from '../servers/kubernetes.ts';
import type { Agent } from '../system/agent.helpers.ts';
import { createPlace } from '../system/agent.helpers.ts';
import { createPod, onKubernetes, RESTRICTED, useKubernetes } from './cluster.helpers.ts';
import { bundles, EXAMPLE_DEFAULTS, type Installed, installInjector } from './injector.helpers.ts';

const server = useKubernetes();

/** The webhook passes over this namespace, so a pod here is what the API server makes of it alone. */
const ALONE = 'kube-public';

/** Pods that no API server takes, whatever webhooks there are. */
const NO_POD = ['no metadata', 'ephemeral containers', 'annotations whose names have slashes and tildes'];

/** What differs from one pod to the next: names, times, and the end of the name of the token's volume. */
function essence({ metadata, spec }: KubernetesObject): KubernetesObject {
  const { annotations, labels, ownerReferences } = metadata;
  const text = JSON.stringify({ metadata: { annotations, labels, ownerReferences }, spec });
  return JSON.parse(text.replaceAll(/kube-api-access-[a-z0-9]{5}/g, 'kube-api-access'));
}

/** A pod that was stored, to be created once more. */
function again({ metadata, spec }: KubernetesObject): KubernetesObject {
  const { annotations, labels, ownerReferences } = metadata;
  return { metadata: { generateName: 'again-', annotations, labels, ownerReferences }, spec };
}

describe.skipIf(noKubernetes !== undefined)(onKubernetes('pannier injector'), () => {
  let place: Awaited<ReturnType<typeof createPlace>>;
  let installed: Installed;
  let agent: Agent;

  beforeAll(async () => {
    place = await createPlace();
    await server().addServiceAccount(ALONE, 'default');
    await server().addNamespace('shop');
    await server().addNamespace('strict', RESTRICTED);
    await server().addNamespace('lenient', { 'pannier.dev/failure-policy': 'ignore' });
    installed = await installInjector(server(), place.dir);
    agent = installed.start();
    await installed.untilReady();
    return async () => {
      await agent.stop();
      await place[Symbol.asyncDispose]();
    };
  });

  it('makes its own certificate trusted, in each of its webhooks', async () => {
    const [closed, open] = await bundles(server());
    expect(closed).toMatch(/^-----BEGIN CERTIFICATE-----\n/);
    expect(open).toBe(closed);
  });

  it.each(SHAPES)('$name: becomes in the cluster what the review says', async ({ name, pod, becomes }) => {
    const alone = await createPod(server(), pod, { namespace: ALONE, dryRun: true });
    const made = await createPod(server(), pod, { namespace: 'shop' });
    if (NO_POD.includes(name)) return expect([alone.status, made.status]).toEqual([422, 422]);
    expect([alone.status, alone.body.message]).toEqual([201, undefined]);
    if (typeof becomes === 'object') {
      expect(made.status).toBe(422);
      const prefix = /^admission webhook "closed\.injector\.pannier\.dev" denied the request: /;
      expect(made.body.message).toMatch(prefix);
      expect(made.body.message).toContain(becomes.denied);
      expect(made.body.message).not.toMatch(/\n/);
      return undefined;
    }
    expect([made.status, made.body.message]).toEqual([201, undefined]);
    // What the webhook sees is the pod with the defaults of the API server.
    const answer = await answerTo(again(alone.body), EXAMPLE_DEFAULTS);
    const { warnings = [] } = answer.review.response;
    expect(made.warnings.filter((one) => !alone.warnings.includes(one))).toEqual(warnings);
    const expected = await createPod(server(), patched(again(alone.body), answer), { namespace: ALONE, dryRun: true });
    expect([expected.status, expected.body.message]).toEqual([201, undefined]);
    expect(essence(made.body)).toEqual(essence(expected.body));
    const once = await createPod(server(), again(made.body), { namespace: 'shop' });
    expect(essence(once.body)).toEqual(essence(made.body));
    return undefined;
  });

  it('warns of all annotations without an effect, each warning as long as Kubernetes asks for at most', async () => {
    const idle = ['go-max-procs', 'auth-min-backoff', 'auth-max-backoff', 'client-max-retries', 'agent-image'];
    const more = Object.fromEntries(idle.map((name) => [`vault.hashicorp.com/${name}`, '1']));
    const pod = shape('annotations of vault-k8s');
    pod.metadata.annotations = { ...pod.metadata.annotations, ...more };
    const { status, warnings } = await createPod(server(), pod, { namespace: 'shop' });
    expect(status).toBe(201);
    for (const name of idle) expect(warnings.join('\n')).toContain(`vault.hashicorp.com/${name}`);
    expect(warnings.filter((warning) => warning.length > 120)).toEqual([]);
  });

  it.each(['annotations of our own', 'annotations of vault-k8s', 'mode: init', 'mode: both'])(
    '%s: the agent keeps the standard "restricted"',
    async (name) => {
      const pod = shape(name);
      const securityContext = { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } };
      const container = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };
      pod.spec = { ...pod.spec, securityContext };
      for (const one of pod.spec.containers) one.securityContext = container;
      const { status, body, warnings } = await createPod(server(), pod, { namespace: 'strict' });
      expect([status, body.message, warnings]).toEqual([201, undefined, []]);
      expect(JSON.stringify(body.spec)).toContain('"name":"pannier');
      for (const one of pod.spec.containers) delete one.securityContext;
      expect((await createPod(server(), pod, { namespace: 'strict' })).body.message).toMatch(/violates PodSecurity/);
    },
  );

  it('changes a pod of a dry run too, and nothing is stored', async () => {
    const pod = shape('a name of its own');
    pod.metadata.name = 'dry';
    const { status, body } = await createPod(server(), pod, { namespace: 'shop', dryRun: true });
    expect([status, body.spec.initContainers[0].name]).toEqual([201, 'pannier']);
    expect((await server().ask('GET', '/api/v1/namespaces/shop/pods/dry')).status).toBe(404);
  });

  it('is not asked about a change of a pod', async () => {
    const { body } = await createPod(server(), shape('annotations of our own'), { namespace: 'shop' });
    const path = `/api/v1/namespaces/shop/pods/${body.metadata.name}`;
    const contentType = 'application/merge-patch+json';
    const patch = { metadata: { annotations: { 'pannier.dev/mode': 'nonsense' } } };
    const { status, body: changed } = await server().ask('PATCH', path, patch, { contentType });
    expect([status, changed.spec]).toEqual([200, body.spec]);
  });
});

/** A copy of the pod of a shape. */
function shape(name: string): KubernetesObject {
  return structuredClone(SHAPES.find((one) => one.name === name)?.pod);
}
