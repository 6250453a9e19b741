import type { Words } from '../../../config/words/words.ts';

/** Keys of backends of kind `kubernetes`. */
export const kubernetesWords: Words = {
  'backends.NAME.kubeconfig': {
    type: 'path',
    default: 'the pod itself, else `KUBECONFIG`',
    does: 'kind `kubernetes`: a [kubeconfig](kubernetes-source.md#with-a-kubeconfig) file, for an agent outside of the cluster',
    examples: ['/etc/pannier/kubeconfig'],
  },
  'backends.NAME.context': {
    type: 'text',
    default: "the file's current context",
    does: 'with `kubeconfig`: the context',
    examples: ['shop@prod'],
  },
  'backends.NAME.tokenFile': {
    type: 'path',
    default: "the pod's own token",
    does: 'kind `kubernetes`: a token of a service account, read again for each request',
    examples: ['/var/run/secrets/tokens/api'],
  },
  'secrets.NAME.kubernetesSecret': {
    type: 'text',
    does: 'kind `kubernetes`: a Secret, as `NAME` or `NAMESPACE/NAME`; a field for each key of its `data`',
    examples: ['shop-db', 'shared/smtp'],
  },
  'secrets.NAME.configMap': {
    type: 'text',
    does: 'kind `kubernetes`: a ConfigMap, as `NAME` or `NAMESPACE/NAME`',
    examples: ['shop-settings'],
  },
  'secrets.NAME.keys': {
    type: 'list of texts',
    default: 'all',
    does: 'with `kubernetesSecret` and `configMap`: the keys that become fields',
    examples: [['username', 'password']],
  },
};
