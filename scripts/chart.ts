import { writeFile } from 'node:fs/promises';
import { RENDERED, renderedManifest } from '../test/examples/rendered.ts';
import { ensureHelms, findHelms } from '../test/servers/helm.ts';

/** `npm run chart` renders the chart into the manifests that are for kubectl and Kustomize. It needs helm, or `go` to build it. */
const [helm = 'helm'] = await findHelms().then((found) => (found.length > 0 ? found : ensureHelms()));
const text = await renderedManifest(helm);
for (const path of RENDERED) await writeFile(path, text);
