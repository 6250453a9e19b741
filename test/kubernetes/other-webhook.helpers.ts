import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createAuthority } from '../servers/certificates.ts';
import type { Kubernetes, KubernetesObject } from '../servers/kubernetes.ts';
import { apply } from './cluster.helpers.ts';

/** A webhook of somebody else that changes pods, such as the one of a service mesh. */
export interface OtherWebhook extends AsyncDisposable {
  /** The pods that it was asked about, in order. */
  readonly seen: readonly KubernetesObject[];
}

/**
 * Installs a webhook for pods with the label `other: NAME`.
 * @param name the API server asks webhooks in the order of the names of their configurations.
 * @param patch what it adds to a pod, as a JSON patch; none when it was there before.
 */
export async function startOtherWebhook(
  server: Kubernetes,
  name: string,
  patch: (pod: KubernetesObject) => readonly object[],
): Promise<OtherWebhook> {
  const authority = createAuthority(name);
  const { certificatePem, keyPem } = authority.issue({ commonName: name, altNames: ['127.0.0.1'] });
  const seen: KubernetesObject[] = [];
  const listener = createServer({ cert: certificatePem, key: keyPem }, (asked, response) => {
    const chunks: Buffer[] = [];
    asked.on('data', (chunk: Buffer) => chunks.push(chunk));
    asked.on('end', () => {
      const { request } = JSON.parse(Buffer.concat(chunks).toString());
      seen.push(request.object);
      const operations = Buffer.from(JSON.stringify(patch(request.object))).toString('base64');
      const answer = { uid: request.uid, allowed: true, patchType: 'JSONPatch', patch: operations };
      const review = { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: answer };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(review));
    });
  }).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  const object = {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata: { name },
    webhooks: [
      {
        name: `${name}.test.dev`,
        admissionReviewVersions: ['v1'],
        sideEffects: 'None',
        clientConfig: {
          url: `https://127.0.0.1:${port}/`,
          caBundle: Buffer.from(authority.certificatePem).toString('base64'),
        },
        rules: [{ apiGroups: [''], apiVersions: ['v1'], resources: ['pods'], operations: ['CREATE'] }],
        objectSelector: { matchLabels: { other: name } },
      },
    ],
  };
  const { status, body } = await apply(server, object);
  if (status >= 400) throw new Error(body.message);
  return {
    seen,
    async [Symbol.asyncDispose]() {
      await server.api('DELETE', `/apis/${object.apiVersion}/mutatingwebhookconfigurations/${name}`);
      listener.closeAllConnections();
      listener.close();
      await once(listener, 'close');
    },
  };
}
