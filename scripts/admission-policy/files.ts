import { quoted } from './cel.ts';
import { admissionPolicy, defaultsOf, mapOf } from './policy.ts';

/** The file for `kubectl apply`; docs/admission-policy.md describes it. */
export const EXAMPLE_FILE = 'examples/kubernetes/admission-policy.yaml';

/** The same for Kustomize, which reads no file outside of its folder. */
const COMPONENT_FILE = 'examples/kustomize/components/admission-policy/admission-policy.yaml';

const CHART_FILE = 'examples/helm/pannier-injector/templates/admission-policy.yaml';

/** The files with the policies, by their paths. `npm run docs` writes them. */
export function policyFiles(): ReadonlyMap<string, string> {
  const example = examplePolicy();
  return new Map([
    [EXAMPLE_FILE, example],
    [COMPONENT_FILE, example],
    [CHART_FILE, chartTemplate()],
  ]);
}

const HEAD = `# Admission policies that put the agent into pods by their annotations, without a webhook (docs/admission-policy.md):
# Kubernetes 1.36 or newer. Change \`defaults\`: the image, the audience and the ConfigMap with the CA of the backend.
# \`npm run docs\` makes this file of the injector's code; both give the same pod.`;

function examplePolicy(): string {
  const all = { ...defaultsOf('pannier:0.1.0'), audience: 'openbao', 'ca-config-map': 'bao-ca' };
  return admissionPolicy({
    head: HEAD,
    names: {
      injects: 'pannier-agent',
      requires: 'pannier-agent-required',
      open: 'pannier-agent-required-open',
    },
    metadata: '',
    namespaceSelector: `      matchExpressions:
        - { key: kubernetes.io/metadata.name, operator: NotIn, values: [kube-system, kube-public, kube-node-lease, pannier] }`,
    defaults: mapOf(Object.entries(all).map(([name, value]) => [name, quoted(value)])),
  });
}

/** The template of the chart. A text of JSON is one of CEL too, so values keep their quotes. */
function chartTemplate(): string {
  const { image: _, ...standard } = defaultsOf('');
  const defaults = mapOf([
    ['image', '{{ include "pannier-injector.agentImage" . | toJson }}'],
    ...Object.entries(standard).map(([name, value]) => [name, quoted(value)] as const),
    ['audience', '{{ .Values.agent.audience | default "" | toJson }}'],
    ['ca-config-map', '{{ .Values.agent.caConfigMap | default "" | toJson }}'],
  ]);
  const policies = admissionPolicy({
    head: `{{- if .Values.admissionPolicy.enabled }}
{{- $name := include "pannier-injector.fullname" . }}
# \`npm run docs\` makes this file of the injector's code.`,
    names: {
      injects: '{{ $name | quote }}',
      requires: '{{ printf "%s-required" $name | quote }}',
      open: '{{ printf "%s-required-open" $name | quote }}',
    },
    metadata: `
  labels:
    {{- include "pannier-injector.labels" . | nindent 4 }}`,
    namespaceSelector: `      {{- with .Values.webhook.namespaceSelector.matchLabels }}
      matchLabels:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      matchExpressions:
        - key: kubernetes.io/metadata.name
          operator: NotIn
          values: {{ include "pannier-injector.excludedNamespaces" . }}
        {{- with .Values.webhook.namespaceSelector.matchExpressions }}
        {{- toYaml . | nindent 8 }}
        {{- end }}`,
    whereOpen: (part) => `{{- if .Values.webhook.openNamespaces }}\n${part}\n{{- end }}`,
    defaults,
  });
  return `${policies}{{- end }}\n`;
}
