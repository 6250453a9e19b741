import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { build, type Plugin } from 'esbuild';
import { thirdPartyNotices } from './third-party.ts';

/**
 * Bundles the agent into `dist/`: `pannier.js` (the first few lines, for any Node), `main.js` (everything else, one
 * script; what a configuration does not use is neither evaluated nor compiled) and its bytecode, made by a run; and
 * `index.mjs`, the same `main.js` for programs that import it. What is not for everybody is a script of its own beside
 * them, which is not even read without use. Nothing in there needs a package at run time.
 */
const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { version: string };

await rm('dist', { recursive: true, force: true });
await mkdir('dist');
// Scripts, whatever the package around them is: Node's loader of ES modules alone takes more than a millisecond.
await writeFile('dist/package.json', '{"type":"commonjs"}\n');

/** What libraries load when they start and never use here, by library: 12 ms and 8 MiB. */
const UNUSED: Readonly<Record<string, RegExp>> = {
  commander: /^node:child_process$/, // for commands that are programs of their own
  // Our transport has its own; its debug lines would print requests; the rest serves named calls, see node-vault.ts.
  'node-vault': /^(https|debug|tv4|mustache|\.\/commands\.js)$/,
  'prom-client': /^\.\/lib\/(cluster|defaultMetrics|pushgateway|summary)$/, // the second loads a tracing library
};

const leaveOut: Plugin = {
  name: 'leave out what is never used',
  setup({ onResolve }) {
    for (const [library, unused] of Object.entries(UNUSED)) {
      onResolve({ filter: unused }, ({ importer }) =>
        importer.includes(`/node_modules/${library}/`) ? { path: resolve('scripts/unused.cjs') } : undefined,
      );
    }
  },
};

const templates = (await readdir('templates'))
  .sort()
  .map((file) => [file.replace(/\.hbs$/, ''), readFileSync(`templates/${file}`, 'utf8')]);

/**
 * Parts of `src` that become `dist/NAME.cjs`. What they import of `src` is there twice: nothing with a state, and no
 * class whose instances others meet.
 */
const APART = { 'aws-sdk': 'src/backend/aws/client/sdk.ts', probe: 'src/cli/probe.ts' };

/** Libraries that are imported on first need, whole, and become `dist/NAME.cjs` as well. */
const LIBRARIES_APART = ['chokidar', 'diff', 'pino-pretty', 'yaml'];

const leaveApart: Plugin = {
  name: 'leave apart what is loaded from a file of its own',
  setup({ onResolve }) {
    const apart = new Map(Object.entries(APART).map(([name, file]) => [resolve(file), `./${name}.cjs`]));
    onResolve({ filter: /^\..*\.ts$/ }, ({ path, kind, resolveDir }) => {
      const file = kind === 'entry-point' ? undefined : apart.get(resolve(resolveDir, path));
      return file === undefined ? undefined : { path: file, external: true };
    });
    const libraries = new RegExp(`^(?:${LIBRARIES_APART.join('|')})$`);
    onResolve({ filter: libraries }, ({ path, kind }) =>
      kind === 'dynamic-import' ? { path: `./${path}.cjs`, external: true } : undefined,
    );
  },
};

const common = {
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node22.22',
  minifySyntax: true,
  minifyWhitespace: true,
  charset: 'ascii',
  metafile: true,
  legalComments: 'none', // third-party.txt has the whole texts
} as const;

const apart = await Promise.all([
  build({
    ...common,
    entryPoints: APART,
    outdir: 'dist',
    outExtension: { '.js': '.cjs' },
    // Of what libraries publish twice the half that can be left out part by part: 0.7 MiB instead of 1.1.
    mainFields: ['module', 'main'],
  }),
  ...LIBRARIES_APART.map((library) =>
    build({
      ...common,
      stdin: { contents: `module.exports = require(${JSON.stringify(library)});`, resolveDir: '.' },
      outfile: `dist/${library}.cjs`,
    }),
  ),
]);

const result = await build({
  ...common,
  entryPoints: { main: 'src/cli/main.ts' },
  outdir: 'dist',
  // Not ESM: there Node's own modules load before the first line, also those of parts that are never used, and each
  // with a list of all it exports. And a script can start from bytecode, see src/cli/load-main.ts. Names stay: bytecode
  // makes short ones pointless, and esbuild's `keepNames` costs a call for each function made.
  banner: { js: '(function (exports, require, module, __dirname) {' },
  footer: { js: '})' },
  define: {
    PANNIER_VERSION: JSON.stringify(version),
    PANNIER_TEMPLATES: JSON.stringify(Object.fromEntries(templates)),
    'import.meta.dirname': '__dirname',
  },
  // node-vault requires axios at import (73 ms, 70 MiB) and never calls it, since requests go through our transport.
  alias: { axios: './src/backend/vault/client/axios-stub.cjs' },
  // With `import` Node would look through all of such a file for the names of its exports first.
  supported: { 'dynamic-import': false },
  plugins: [leaveOut, leaveApart],
});
const made = [result, ...apart].map(({ metafile }) => metafile);
const metafile = {
  inputs: Object.assign({}, ...made.map(({ inputs }) => inputs)),
  outputs: Object.assign({}, ...made.map(({ outputs }) => outputs)),
};
await writeFile('dist/meta.json', JSON.stringify(metafile));
await writeFile('dist/third-party.txt', thirdPartyNotices(metafile));
const hash = createHash('sha256')
  .update(await readFile('dist/main.js'))
  .digest('hex')
  .slice(0, 16);

const entry = {
  outdir: 'dist',
  bundle: true,
  platform: 'node',
  define: { PANNIER_BUILD: JSON.stringify(hash), 'import.meta.dirname': '__dirname' },
} as const;
// Says what is missing on an older Node.
await build({
  ...entry,
  entryPoints: { pannier: 'src/cli/bin.ts' },
  format: 'cjs',
  target: 'node14',
  external: ['./probe.cjs'],
});
const outExtension = { '.js': '.mjs' };
const define = { PANNIER_BUILD: entry.define.PANNIER_BUILD };
await build({
  ...entry,
  entryPoints: { index: 'src/library.ts' },
  format: 'esm',
  target: 'node22.22',
  outExtension,
  define,
});

// In a process of its own, since V8 refuses bytecode that was made under other flags.
await promisify(execFile)(process.execPath, ['scripts/bytecode.ts', 'dist', hash]);
