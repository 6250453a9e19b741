import { admissionPolicy, defaultsOf, mapOfTexts } from './policy.ts';

/** The file for `kubectl apply`; docs/admission-policy.md describes it. */
export const EXAMPLE_FILE = 'examples/kubernetes/admission-policy.yaml';

const HEAD = `# Admission policies that put the agent into pods by their annotations, without a webhook (docs/admission-policy.md):
# Kubernetes 1.36 or newer. Change \`defaults\`: the image, the audience and the ConfigMap with the CA of the backend.
# \`npm run docs\` makes this file of the injector's code; both give the same pod.`;

/** The text of the file. */
export const examplePolicy = (): string =>
  admissionPolicy({
    head: HEAD,
    names: { injects: 'pannier-agent', requires: 'pannier-agent-required' },
    metadata: '',
    namespaceSelector: `      matchExpressions:
        - { key: kubernetes.io/metadata.name, operator: NotIn, values: [kube-system, kube-public, kube-node-lease, pannier] }`,
    defaults: mapOfTexts(defaultsOf('pannier:0.1.0', { audience: 'openbao', 'ca-config-map': 'bao-ca' })),
  });
