import { writeFile } from 'node:fs/promises';
import { RENDERED, renderedManifest } from '../test/examples/rendered.ts';
import { ensureHelms } from '../test/servers/helm.ts';

/** `npm run chart` renders the chart into the manifests that are for kubectl and Kustomize. It needs `go` or a cached helm. */
const [helm = 'helm'] = await ensureHelms();
const text = await renderedManifest(helm);
for (const path of RENDERED) await writeFile(path, text);
