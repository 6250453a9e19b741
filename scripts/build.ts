import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { BACKEND_KINDS } from '../src/backend/registry.ts';
import { manPage } from '../src/cli/man.ts';
import { tablesOfParts } from '../src/config/check/make-tables.ts';
import { exportJsonSchema } from '../src/config/json-schema.ts';
import { scriptsOf } from './chunks.ts';
import { makeBytecode } from './make-bytecode.ts';
import { billOfMaterials } from './sbom.ts';
import { thirdPartyNotices } from './third-party.ts';

/**
 * Bundles the agent into `dist/`: `pannier.js` (the first few lines, for any Node), `main.js` (what a start needs)
 * with its bytecode, made by a run, and beside it scripts of what some configurations use (SCRIPTS), which are not
 * even read without use; `index.mjs`, the same scripts for programs that import them; the JSON Schema for editors;
 * and the manual page. Nothing in there needs a package at run time.
 */
const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { version: string };

await rm('dist', { recursive: true, force: true });
await mkdir('dist');
// Scripts, whatever the package around them is: Node's loader of ES modules alone takes more than a millisecond.
await writeFile('dist/package.json', '{"type":"commonjs"}\n');

/** What libraries load when they start and never use here, by library: 12 ms and 8 MiB. */
const UNUSED: Readonly<Record<string, RegExp>> = {
  '@grpc/grpc-js': /^@grpc\/proto-loader$/, // for services that describe servers; our messages are in src/deliver/sds
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

/**
 * The YAML library prints every token that it reads, of secrets too, when the environment has a variable of one of
 * these names, and containers that log to CloudWatch do have a LOG_STREAM.
 */
const PRINTS = [/\bnode_process\.env\.LOG_(?:STREAM|TOKENS)\b/, ['compose/composer.js', 'parse/parser.js']] as const;

const silence: Plugin = {
  name: 'print nothing that is parsed',
  setup({ onLoad }) {
    onLoad({ filter: /\/node_modules\/yaml\/.*\.js$/ }, ({ path }) => {
      const text = readFileSync(path, 'utf8');
      const isSilent = !PRINTS[0].test(text);
      if (isSilent && PRINTS[1].some((file) => path.endsWith(file))) throw new Error(`${path} is not as it was`);
      return isSilent ? undefined : { contents: text.replace(PRINTS[0], 'false'), loader: 'js' };
    });
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
const LIBRARIES_APART = ['chokidar', 'diff', 'yaml'];

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
  preserveSymlinks: true, // node_modules of a copy of the tree may be a link
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node22.22',
  minifySyntax: true,
  minifyWhitespace: true,
  charset: 'ascii',
  metafile: true,
  legalComments: 'none', // third-party.txt has the whole texts
  plugins: [silence] as Plugin[],
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

/**
 * What of the agent lies in which script, by the modules that are loaded on need: each chunk is in the first script
 * that names it, or names what imports it. `main.js` is all that `init` with a Vault reads; what no list names is in
 * `rest.js`. So a start reads and deserialises what it uses and not much more.
 */
const SCRIPTS: Readonly<Record<string, readonly string[]>> = {
  main: [
    'src/cli/main.ts',
    'src/cli/init.ts',
    'src/config/load.ts',
    'src/backend/vault/open.ts',
    'node_modules/node-vault/src/index.js',
    'src/render/renderer.ts',
  ],
  sections: [
    'src/config/sections/outputs/resolve-steps.ts',
    'src/config/sections/outputs/resolve-builtin.ts',
    'src/cli/open-log-file.ts',
    'src/config/sections/exec/resolve.ts',
    'src/config/sections/listeners/resolve-listeners.ts',
  ],
  reload: [
    'src/reload/create-reload.ts',
    'src/agent/output/reload-round.ts',
    'src/agent/output/candidate-check.ts',
    'src/agent/output/roll-back.ts',
  ],
  // Of listeners, of the injector, the relay and the port of ACME; tokens are those of clients as well.
  serving: [
    'src/http/serving/listen.ts',
    'src/http/serving/read-body.ts',
    'src/http/serving/connections.ts',
    'src/deliver/http/token-file.ts',
  ],
  agent: [
    'src/cli/run.ts',
    'src/cli/exec.ts',
    'src/deliver/file/owners.ts',
    'src/deliver/http/over-http.ts',
    'src/agent/serve/listeners.ts',
    'src/agent/serve/observers.ts',
    'src/agent/output/looks.ts',
    'src/observe/health-routes.ts',
    'src/observe/health-watch.ts',
    'src/observe/config-identity.ts',
    'src/deliver/hash-of-want.ts',
    'src/observe/statement.ts',
  ],
  api: ['src/deliver/api/create-api.ts', 'src/agent/serve/api-agent.ts', 'src/deliver/http/routes.ts'],
  page: ['src/agent/serve/agent-page.ts', 'src/observe/page/recent-events.ts'],
  proxy: ['src/deliver/proxy/proxy-service.ts', 'src/backend/vault/create-upstream.ts'],
  metrics: ['src/observe/metrics.ts', 'src/observe/metrics-route.ts', 'node_modules/prom-client/index.js'],
  evaluation: ['src/render/template/file.ts', 'src/render/request.ts'],
  keyed: ['src/render/formats/keyed.ts', 'src/render/formats/yaml.ts'],
  certificates: [
    'src/render/certificate/index.ts',
    'src/render/formats/certificates.ts',
    'src/backend/vault/source/trust-bundle.ts',
  ],
  templates: ['node_modules/handlebars/dist/cjs/handlebars/compiler/base.js'],
  yaml: ['src/config/load/parse-yaml.ts'], // with what bounds the parser, which problems and positions use too
  // What checks configurations that the tables of the schemas do not accept, and zod.
  schemas: [
    'src/config/check/create-all-problems.ts',
    'src/config/check/schemas.ts',
    'src/config/problems/make-error.ts',
    'src/config/problems/positions.ts',
  ],
  client: [
    'src/cli/run-other.ts',
    'src/cli/validate.ts',
    'src/cli/get.ts',
    'src/cli/status.ts',
    'src/cli/status/shown-status.ts',
    'src/cli/status/read-status.ts',
  ],
  watch: ['src/cli/status/watch/watch-status.ts'],
  import: ['src/cli/import.ts', 'src/cli/import/show-comparison.ts'],
  ends: ['src/backend/vault/source/end.ts'],
  issuing: [
    'src/backend/vault/config/resolve-certificate.ts',
    'src/backend/vault/source/certificate.ts',
    'src/backend/stored-certificate.ts',
    'src/config/sections/secrets/resolve-stored.ts',
    'src/agent/kept-certificates.ts',
  ],
  acme: [
    'src/backend/acme/config/resolving.ts',
    'src/backend/acme/config/resolve-request.ts',
    'src/backend/acme/open.ts',
    'src/agent/run-backend-command.ts',
  ],
  state: [
    'src/agent/state/followed-state.ts',
    'src/backend/vault/auth/resume-login.ts',
    'src/config/sections/state/resolve.ts',
  ],
  logs: ['src/cli/follow-audit.ts', 'src/otlp/open-logs.ts', 'src/config/sections/log/resolve-targets.ts'],
  events: [
    'src/backend/vault/config/resolve-events.ts',
    'src/backend/vault/events/vault-events.ts',
    'src/feed/relay-feed.ts',
  ],
  traces: ['src/trace/open.ts', 'src/config/sections/traces/resolve.ts'],
  leases: [
    'src/lease/replaced/replaced-values.ts',
    'src/backend/vault/source/revoke.ts',
    'src/agent/end-credentials.ts',
  ],
  refusals: ['src/backend/vault/client/status.ts', 'src/backend/vault/source/advice.ts'],
  drift: [
    'src/agent/output/drift-keeper.ts',
    'src/agent/output/statement-keeper.ts',
    'src/deliver/file/drift.ts',
    'src/deliver/file/take-over.ts',
    'src/deliver/file/going-back.ts',
  ],
  file: ['src/backend/file/backend.ts'],
  sds: ['src/config/sections/sds/resolve.ts', 'src/agent/serve/create-sds.ts', 'src/deliver/sds/load-grpc.ts'],
  awsagent: [
    'src/config/sections/listeners/resolve-aws.ts',
    'src/agent/serve/create-aws-agent.ts',
    'src/backend/aws/source/as-stored.ts',
  ],
  logins: ['src/backend/vault/auth/methods/approle.ts'],
  aws: [
    'src/backend/aws/config/resolving.ts',
    'src/backend/aws/config/resolve-request.ts',
    'src/backend/aws/open.ts',
    'src/backend/vault/auth/methods/aws.ts',
  ],
  kubernetes: [
    'src/backend/kubernetes/config/resolving.ts',
    'src/backend/kubernetes/open.ts',
    'src/backend/kubernetes/access/kubeconfig-access.ts',
  ],
  doctor: [
    'src/cli/doctor.ts',
    'src/cli/policy.ts',
    'src/backend/vault/tools.ts',
    'src/backend/file/examine.ts',
    'src/backend/aws/tools.ts',
    'src/backend/kubernetes/tools.ts',
    'src/backend/acme/tools.ts',
  ],
  // Last, so that what they share with others lies with them.
  pairs: ['src/http/serving/pair-of-files.ts'],
  injector: ['src/cli/injector.ts', 'src/injector/metrics/serve-metrics.ts'],
  notify: ['src/cli/notify.ts'],
};

const result = await build({
  ...common,
  entryPoints: { main: 'src/cli/main.ts' },
  outdir: 'dist',
  // Chunks, which are made into scripts below: esbuild splits ES modules alone.
  format: 'esm',
  splitting: true,
  chunkNames: '[hash]',
  minifyWhitespace: false, // chunks.ts reads the imports; it minifies
  write: false,
  define: {
    PANNIER_VERSION: JSON.stringify(version),
    'import.meta.dirname': '__dirname',
  },
  // node-vault requires axios at import (73 ms, 70 MiB) and never calls it, since requests go through our transport.
  alias: { axios: './src/backend/vault/client/axios-stub.cjs' },
  plugins: [leaveOut, leaveApart, silence],
});
const tables = await tablesOfParts(BACKEND_KINDS);
const scripts = await scriptsOf(result, SCRIPTS, {
  PANNIER_TEMPLATES: JSON.stringify(Object.fromEntries(templates)),
  ...Object.fromEntries(Object.entries(tables).map(([name, text]) => [name, JSON.stringify(text)])),
});
await Promise.all([...scripts.texts].map(([name, text]) => writeFile(`dist/${name}.js`, text)));

const made = [scripts, ...apart].map(({ metafile }) => metafile);
const metafile = {
  inputs: Object.assign({}, ...made.map(({ inputs }) => inputs)),
  outputs: Object.assign({}, ...made.map(({ outputs }) => outputs)),
};
await writeFile('dist/meta.json', JSON.stringify(metafile));
// For editors: `$schema` of a configuration may name it.
await writeFile('dist/pannier.schema.json', `${JSON.stringify(await exportJsonSchema(BACKEND_KINDS))}\n`);
await writeFile('dist/pannier.1', manPage(version));
await writeFile('dist/third-party.txt', thirdPartyNotices(metafile));
await writeFile('dist/sbom.cdx.json', `${JSON.stringify(billOfMaterials(metafile, version), null, 1)}\n`);
const hash = createHash('sha256')
  .update(JSON.stringify([...scripts.texts]))
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

await makeBytecode('dist', hash);
