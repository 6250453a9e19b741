import { writeFile } from 'node:fs/promises';
import { RENDERED, renderedManifest } from '../test/examples/rendered.ts';
import { ensureHelms, findHelms } from '../test/servers/helm.ts';

/** `npm run chart` renders the manifests for kubectl and Kustomize from the chart. A missing helm is built. */
const [helm = 'helm'] = await findHelms().then((found) => (found.length > 0 ? found : ensureHelms()));
const text = await renderedManifest(helm);
for (const path of RENDERED) await writeFile(path, text);
