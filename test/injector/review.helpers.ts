import jsonPatch from 'fast-json-patch';
import { type Reviewed, review } from '../../src/injector/review.ts';
import type { InjectorDefaults } from '../../src/injector/settings.ts';

// biome-ignore lint/suspicious/noExplicitAny: pods of tests are taken apart freely
export type Pod = any;

export const DEFAULTS: InjectorDefaults = { image: 'pannier:0.1.0', address: 'https://openbao.security.svc:8200' };

/** An AdmissionReview as the API server sends it for a pod. */
export function reviewOf(pod: unknown, more: Readonly<Record<string, unknown>> = {}) {
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: '705ab4f5-6393-11e8-b7cc-42010a800002',
      kind: { group: '', version: 'v1', kind: 'Pod' },
      resource: { group: '', version: 'v1', resource: 'pods' },
      operation: 'CREATE',
      namespace: 'shop',
      dryRun: false,
      object: pod,
      ...more,
    },
  };
}

export async function answerTo(pod: unknown, defaults = DEFAULTS, more = {}): Promise<Reviewed> {
  const reviewed = await review(reviewOf(pod, more), defaults);
  if (reviewed === undefined) throw new Error('the review was not taken');
  return reviewed;
}

/** The operations of an answer; none when it has no patch. */
export function operationsOf({ review: { response } }: Reviewed): jsonPatch.Operation[] {
  return response.patch === undefined ? [] : JSON.parse(Buffer.from(response.patch, 'base64').toString());
}

/** The pod with the patch of the answer, applied by a library that checks each operation. */
export function patched(pod: unknown, answer: Reviewed): Pod {
  const copy = structuredClone(pod);
  return jsonPatch.applyPatch(copy, operationsOf(answer), true, false).newDocument;
}

export const agentOf = (pod: Pod): Pod =>
  [...(pod.spec.initContainers ?? []), ...pod.spec.containers].find(({ name }: Pod) => /^pannier/.test(name));
