import { mutate } from './mutate.ts';
import { mapOf, textOf } from './pod/json.ts';
import type { InjectorDefaults } from './settings.ts';
import { MAX_WARNING } from './warnings.ts';

/** The answer to a review, as the API server takes it. */
export interface AdmissionReview {
  readonly apiVersion: 'admission.k8s.io/v1';
  readonly kind: 'AdmissionReview';
  readonly response: AdmissionResponse;
}

export interface AdmissionResponse {
  readonly uid: string;
  readonly allowed: boolean;
  readonly patchType?: 'JSONPatch';
  /** A JSON patch in base64. */
  readonly patch?: string;
  readonly status?: { readonly code: number; readonly reason: string; readonly message: string };
  readonly warnings?: readonly string[];
}

/** What was decided, for the log. */
export interface Reviewed {
  readonly review: AdmissionReview;
  /** The names of the pod, as far as they are known: most pods get theirs later. */
  readonly pod: string;
  readonly namespace: string;
  readonly isInjected: boolean;
  readonly denied?: string;
  readonly warnings: readonly string[];
}

/** Pods here are the cluster's own. */
const SYSTEM_NAMESPACES = ['kube-system', 'kube-public', 'kube-node-lease'];

/**
 * Answers one AdmissionReview of `admission.k8s.io/v1`. What comes is read and never changed, so a dry run is like any
 * other review. Undefined: it is no such review.
 */
export async function review(asked: unknown, defaults: InjectorDefaults): Promise<Reviewed | undefined> {
  const { apiVersion, kind, request: given } = mapOf(asked);
  const request = mapOf(given);
  const uid = textOf(request['uid']);
  if (apiVersion !== 'admission.k8s.io/v1' || kind !== 'AdmissionReview' || uid === undefined || uid === '') {
    return undefined;
  }
  const namespace = textOf(request['namespace']) ?? '';
  const { name, generateName } = mapOf(mapOf(request['object'])['metadata']);
  const pod = textOf(name) ?? textOf(generateName) ?? '';
  const answer = (response: Omit<AdmissionResponse, 'uid'>, isInjected = false): Reviewed => ({
    review: { apiVersion, kind, response: { uid, ...response } },
    pod,
    namespace,
    isInjected,
    warnings: response.warnings ?? [],
    ...(response.status === undefined ? {} : { denied: response.status.message }),
  });
  const resource = mapOf(request['kind']);
  const isPod = resource['kind'] === 'Pod' && resource['group'] === '' && textOf(request['subResource']) === undefined;
  if (!isPod) return answer({ allowed: true, warnings: ['the injector of Pannier is for pods: check its rules'] });
  if (request['operation'] !== 'CREATE') return answer({ allowed: true });
  const made = await mutate(request['object'], defaults);
  if ('denied' in made) return answer({ allowed: false, status: refusal(made.denied) });
  if (made.patch.length === 0) return answer({ allowed: true });
  if (SYSTEM_NAMESPACES.includes(namespace)) {
    return answer({ allowed: false, status: refusal(`no pod of ${namespace} is injected`) });
  }
  const { warnings } = made;
  const patch = Buffer.from(JSON.stringify(made.patch)).toString('base64');
  const shown = warnings.length === 0 ? {} : { warnings: warnings.map(shortened) };
  return answer({ allowed: true, patchType: 'JSONPatch', patch, ...shown }, true);
}

const refusal = (message: string) => ({ code: 422, reason: 'Invalid', message });

const shortened = (text: string): string => (text.length > MAX_WARNING ? `${text.slice(0, MAX_WARNING - 1)}…` : text);
