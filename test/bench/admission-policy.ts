/**
 * Measures what the admission policies cost the API server: CPU per pod that is created by dry run, with them and
 * without.
 * Run it by `KUBEBUILDER_ASSETS=… node test/bench/admission-policy.ts`, with a folder that has etcd and kube-apiserver.
 */
import { readFileSync } from 'node:fs';
import { createPod } from '../kubernetes/cluster.helpers.ts';
import { ALONE, BY_MAP, installPolicies, podWith } from '../kubernetes/policies.helpers.ts';
import { type KubernetesObject, startKubernetes } from '../servers/kubernetes.ts';

const ROUNDS = 5;
const PODS = 400;
const TICKS_PER_SECOND = 100;

await using server = await startKubernetes();
for (const namespace of [ALONE, 'default']) await server.addServiceAccount(namespace, 'default');
await installPolicies(server);

/** The CPU time of the API server so far, in milliseconds. */
function cpuMs(): number {
  const fields = readFileSync(`/proc/${server.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_SECOND;
}

async function perPod(pod: KubernetesObject, namespace: string): Promise<number> {
  const before = cpuMs();
  for (let index = 0; index < PODS; index++) {
    const { status, body } = await createPod(server, pod, { namespace, dryRun: true });
    if (status !== 201) throw new Error(body.message);
  }
  return (cpuMs() - before) / PODS;
}

const forty = { containers: Array.from({ length: 40 }, (_, index) => ({ name: `app-${index}`, image: 'shop:1' })) };
const cases: readonly (readonly [string, KubernetesObject, string])[] = [
  ['no annotations, no policies', podWith({}), ALONE],
  ['no annotations', podWith({}), 'default'],
  ['asks for an agent, no policies', podWith(BY_MAP), ALONE],
  ['asks for an agent', podWith(BY_MAP), 'default'],
  ['forty containers, no policies', podWith(BY_MAP, forty), ALONE],
  ['forty containers', podWith(BY_MAP, forty), 'default'],
];
const found = new Map<string, number[]>(cases.map(([name]) => [name, []]));
for (const [, pod, namespace] of cases) await perPod(pod, namespace); // So that the code is warm.
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, pod, namespace] of cases) found.get(name)?.push(await perPod(pod, namespace));
}
for (const [name, all] of found) {
  const sorted = all.toSorted((a, b) => a - b);
  process.stdout.write(
    `${name}: ${sorted[ROUNDS >> 1]?.toFixed(2)} ms of CPU (${sorted.map((one) => one.toFixed(2)).join(', ')})\n`,
  );
}
