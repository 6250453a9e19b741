import { beforeAll, describe, expect, it } from 'vitest';
import { answerTo, patched } from '../injector/review.helpers.ts';
import { type KubernetesObject, noKubernetes } from '../servers/kubernetes.ts';
import { type Agent, createPlace } from '../system/agent.helpers.ts';
import { createPod, onKubernetes, useKubernetes } from './cluster.helpers.ts';
import { EXAMPLE_DEFAULTS, installInjector } from './injector.helpers.ts';
import { ALONE, again, BY_MAP, essence, installPolicies, podWith } from './policies.helpers.ts';

const server = useKubernetes();

const BY_PARTS = {
  inject: 'true',
  role: 'shop',
  'secret-app': '{ kv: a/b }',
  'file-a.env': '{ format: dotenv, from: app }',
};

describe.skipIf(noKubernetes !== undefined)(onKubernetes('the policies beside the injector'), () => {
  let agent: Agent;

  beforeAll(async () => {
    const place = await createPlace();
    for (const namespace of [ALONE, 'default']) await server().addServiceAccount(namespace, 'default');
    await server().addNamespace('shop');
    await installPolicies(server());
    const installed = await installInjector(server(), place.dir);
    agent = installed.start();
    await installed.untilReady();
    return async () => {
      await agent.stop();
      await place[Symbol.asyncDispose]();
    };
  });

  const create = (pod: KubernetesObject) => createPod(server(), pod, { namespace: 'shop' });

  it('the policy injects what it takes, once, and the injector adds nothing', async () => {
    const { status, body } = await create(podWith(BY_MAP));
    expect([status, body.message]).toEqual([201, undefined]);
    const names = body.spec.initContainers.map(({ name }: KubernetesObject) => name);
    expect(names).toEqual(['pannier']);
    expect(agent.facts('pod-injected')).toEqual([]);
  });

  it.each([
    ['parts', BY_PARTS],
    ['a choice of containers', { ...BY_MAP, containers: 'app' }],
    ['both modes', { ...BY_MAP, mode: 'both' }],
  ])('the injector gets what the policy does not take: %s', async (_, own) => {
    const pod = podWith(own);
    const alone = await createPod(server(), pod, { namespace: ALONE, dryRun: true });
    const whole = patched(again(alone.body), await answerTo(again(alone.body), EXAMPLE_DEFAULTS));
    const expected = await createPod(server(), whole, { namespace: ALONE, dryRun: true });
    const made = await create(pod);
    expect([made.status, made.body.message]).toEqual([201, undefined]);
    expect(essence(made.body)).toEqual(essence(expected.body));
  });

  it('a pod of vault-k8s is injected too, and what is wrong is said by the injector', async () => {
    const pod = podWith({ mode: 'init' });
    Object.assign(pod.metadata.annotations, {
      'vault.hashicorp.com/agent-inject': 'true',
      'vault.hashicorp.com/role': 'shop',
      'vault.hashicorp.com/agent-inject-secret-app': 'secret/data/app',
      'vault.hashicorp.com/agent-inject-template-app': '{{ with secret "secret/data/app" }}{{ .Data.data.a }}{{ end }}',
    });
    const { status, body } = await create(pod);
    expect([status, body.message]).toEqual([201, undefined]);
    expect(body.spec.initContainers[0].name).toBe('pannier-init');
    expect((await create(podWith({ ...BY_MAP, rol: 'x' }))).body.message).toMatch(
      /"closed\.injector\.pannier\.dev" denied the request: pannier\.dev\/rol is unknown; did you mean "role"\?/,
    );
  });
});
