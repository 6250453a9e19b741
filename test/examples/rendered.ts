/** The manifests that are rendered from the chart: `npm run chart` writes them, and a test compares them. */
import { runHelm } from '../servers/helm.ts';

export const CHART = 'examples/helm/pannier-injector';

/** The Kubernetes that helm is told of: one that `go install` built believes in an old one. */
export const OLDEST = '1.30.0';

const VALUES = 'examples/helm/injector.values.yaml';

/** Both have the same text: Kustomize reads no file outside of its folder. */
export const RENDERED = ['examples/kubernetes/injector.yaml', 'examples/kustomize/base/injector.yaml'];

const INTRO = `# The injector: a webhook that puts the agent into pods by their annotations (docs/injector.md). Made by npm run chart of
# examples/helm. It makes its certificate itself, and writes its authority into caBundle at run time. Change the image, the
# address and the audience. A pod that asks for an agent does not start without the injector, unless its namespace has the
# label pannier.dev/failure-policy=ignore.
apiVersion: v1
kind: Namespace
metadata:
  name: pannier
  labels:
    pod-security.kubernetes.io/enforce: restricted
`;

/** @throws Error with what helm says. */
export async function renderedManifest(helm: string): Promise<string> {
  const args = [
    'template',
    'pannier-injector',
    CHART,
    '--namespace',
    'pannier',
    '--kube-version',
    OLDEST,
    '--values',
    VALUES,
  ];
  const { status, out, error } = await runHelm(helm, args);
  if (status !== 0) throw new Error(error);
  return INTRO + withoutHelm(out);
}

/** Without what says that Helm manages an object: it does not, once the text is a file. */
const withoutHelm = (text: string): string =>
  text.replace(/^(?:# Source: .*| +app\.kubernetes\.io\/managed-by: .*| +helm\.sh\/chart: .*)\n/gm, '');
