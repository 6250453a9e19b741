import { readFile, rm, writeFile } from 'node:fs/promises';
import { build } from 'esbuild';

/**
 * Bundles the agent into `dist/`: `pannier.js` (the first few lines, for any Node) and `main.js` (everything else, one
 * file; what a configuration does not use is parsed but never run).
 */
const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { version: string };

await rm('dist', { recursive: true, force: true });

await build({
  entryPoints: { pannier: 'src/cli/bin.ts' },
  outdir: 'dist',
  platform: 'node',
  format: 'esm',
  target: 'node14',
  external: ['./main.js'],
  bundle: true,
});

const result = await build({
  entryPoints: { main: 'src/cli/main.ts' },
  outdir: 'dist',
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node22.22',
  minify: true,
  keepNames: true,
  metafile: true,
  legalComments: 'linked',
  define: { PANNIER_VERSION: JSON.stringify(version) },
  // node-vault requires axios at import (73 ms, 70 MiB) and never calls it, since requests go through our transport.
  alias: { axios: './src/client/axios-stub.cjs' },
  // CommonJS packages inside an ES module bundle ask for these.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
});
await writeFile('dist/meta.json', JSON.stringify(result.metafile));
