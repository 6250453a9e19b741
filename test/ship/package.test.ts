import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import { arch, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { Metafile } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as source from '../../src/index.ts';
import { npmPackage } from '../render/formats/installed.helpers.ts';

const run = promisify(execFile);

/** The oldest Node that `engines` allows. */
const OLDEST_NODE = '22.22.0';

interface Manifest {
  readonly version: string;
  readonly exports: Readonly<Record<string, unknown>>;
  readonly scripts: Readonly<Record<string, string>>;
  readonly engines: { readonly node: string };
}

let manifest: Manifest;
/** The files in the package. */
let packed: readonly string[];
/** The folder of an empty project that the package is installed in. */
let project: string;

beforeAll(async () => {
  manifest = JSON.parse(await readFile('package.json', 'utf8')) as Manifest;
  project = await mkdtemp(join(tmpdir(), 'pannier-package-'));
  // The script prepack would build dist/ again while other tests use it.
  await run('node', ['scripts/types.ts']);
  const { stdout } = await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', project]);
  const [{ filename, files }] = JSON.parse(stdout) as [{ filename: string; files: { path: string }[] }];
  packed = files.map(({ path }) => path);
  await writeFile(join(project, 'package.json'), '{"private":true,"type":"module"}');
  await npm('install', '--offline', '--no-audit', '--no-fund', join(project, filename));
  for (const name of ['pannier.yaml', 'secrets.yaml']) {
    await cp(`examples/file-backend/${name}`, join(project, 'example', name));
  }
});
afterAll(() => rm(project, { recursive: true, force: true }));

describe('the npm package', () => {
  it('holds the program, its types, the templates, the documentation and the licences, and nothing else', () => {
    const known = [/^(package\.json|README\.md|LICENSE)$/, /^dist\/(\w+\.js|index\.mjs|package\.json|[\w-]+\.cjs)$/];
    known.push(
      /^dist\/\w+-\w+-v[\d.]+-\w+\.bytecode$/,
      /^dist\/(third-party\.txt|sbom\.cdx\.json|pannier\.schema\.json|pannier\.1)$/,
      /^dist\/types\//,
      /^templates\//,
      /^docs\/[\w/-]+\.(md|json|svg|png)$/,
    );
    expect(packed.filter((file) => !known.some((one) => one.test(file)))).toEqual([]);
    for (const one of known) expect(packed.some((file) => one.test(file))).toBe(true);
  });

  it('is built, with its types, whenever it is packed', () => {
    expect(manifest.scripts['prepack']).toBe('npm run --silent build && node scripts/types.ts');
  });

  it('has the JSON Schema that pannier schema prints, where the manifest says', async () => {
    expect(packed).toContain('dist/pannier.schema.json');
    expect(manifest.exports['./schema.json']).toBe('./dist/pannier.schema.json');
    const { stdout } = await run(process.execPath, ['dist/pannier.js', 'schema']);
    expect(JSON.parse(await readFile('dist/pannier.schema.json', 'utf8'))).toEqual(JSON.parse(stdout));
  });

  it('needs no other package at run time', async () => {
    expect(manifest).not.toHaveProperty('dependencies');
    const { outputs } = JSON.parse(await readFile('dist/meta.json', 'utf8')) as Metafile;
    const needed = Object.values(outputs).flatMap(({ imports }) =>
      imports.flatMap(({ external, path }) => (external ? path : [])),
    );
    const own = packed.map((file) => file.replace('dist/', './'));
    const others = needed.filter((name) => ![...builtinModules, ...own].includes(name.replace(/^node:/, '')));
    expect(others).toEqual([]);
  });

  it('keeps what not every start needs out of main.js', async () => {
    const { outputs } = JSON.parse(await readFile('dist/meta.json', 'utf8')) as Metafile;
    const { inputs } = outputs['dist/main.js'] ?? { inputs: {} };
    const libraries = '@aws-sdk|@smithy|yaml|chokidar|diff|commander|handlebars|prom-client';
    const parts = 'observe/|deliver/proxy/|deliver/api/create-api|cli/demo/|backend/aws/(?:auth|client|source)/';
    const apart = new RegExp(`node_modules/(?:${libraries})/|^src/(?:${parts})`);
    expect(Object.keys(inputs).filter((path) => path.startsWith('src/')).length).toBeGreaterThan(100);
    expect(Object.keys(inputs).filter((path) => apart.test(path))).toEqual([]);
  });

  it('holds the licence of every package in its bundles', async () => {
    const notices = await readFile('dist/third-party.txt', 'utf8');
    const { outputs } = JSON.parse(await readFile('dist/meta.json', 'utf8')) as Metafile;
    const used = Object.values(outputs).flatMap(({ inputs }) => Object.entries(inputs));
    const names = used.flatMap(([path, { bytesInOutput }]) =>
      bytesInOutput === 0 ? [] : (/node_modules\/((?:@[^/]+\/)?[^/]+)\/[^@]*$/.exec(path)?.[1] ?? []),
    );
    expect(new Set(names).size).toBeGreaterThan(10);
    expect([...new Set(names)].filter((name) => !notices.includes(`\n${name} `))).toEqual([]);
  });

  it('npx pannier works in an empty folder', async () => {
    expect(await npx('--version')).toBe(`${manifest.version}\n`);
    await npx('init', '-c', 'example/pannier.yaml');
    expect(await readFile(join(project, 'example/run/pgpass'), 'utf8')).toBe('db:5432:shop:shop:made-up\n');
  });

  it('programs that import it get the names of src/index.ts, with their types', async () => {
    await writeFile(join(project, 'embedder.ts'), EMBEDDER);
    const flags = ['--module', 'nodenext', '--strict', '--noEmit', '--skipLibCheck', 'false', '--types', 'node'];
    await tsc(
      ...flags,
      '--target',
      'es2024',
      '--lib',
      'es2024,esnext.disposable',
      '--typeRoots',
      resolve('node_modules/@types'),
    );
    const { stdout } = await run(process.execPath, ['embedder.ts'], { cwd: project });
    const { names, facts, failures } = JSON.parse(stdout) as Record<string, string[]>;
    expect(names).toEqual(Object.keys(source).sort());
    expect(facts).toContain('output-unchanged');
    expect(failures).toEqual(['CONFIG_UNREADABLE']);
  });

  it('works without bytecode on the oldest Node that it supports', async (context) => {
    expect(manifest.engines.node).toBe(`>=${OLDEST_NODE.replace(/\.0$/, '')}`);
    const name = `node-linux-${arch()}`;
    const folder = await npmPackage(name, OLDEST_NODE).catch((error: Error) => error);
    if (folder instanceof Error) return context.skip(`no Node ${OLDEST_NODE} here: ${folder.message}`);
    const node = join(folder, 'node_modules', name, 'bin/node');
    const bin = join(project, 'node_modules/pannier/dist/pannier.js');
    expect(packed.some((file) => file.includes(OLDEST_NODE))).toBe(false);
    await rm(join(project, 'example/run'), { recursive: true, force: true });
    await run(node, [bin, 'init', '-c', join(project, 'example/pannier.yaml')]);
    expect(existsSync(join(project, 'example/run/shop.json'))).toBe(true);
  });
});

const EMBEDDER = `
import * as pannier from 'pannier';
import { type Fact, init, load, PannierError, type Plan, ProblemsError } from 'pannier';

const facts: Fact['kind'][] = [];
const plan: Plan = await load(['example/pannier.yaml']);
const none: readonly pannier.Failure[] = await init(plan, { timeoutMs: 10_000, emit: ({ kind }) => facts.push(kind) });
const failures: string[] = none.map(({ code }) => code);
try {
  await load(['no-such-file.yaml']);
} catch (error) {
  if (error instanceof ProblemsError) failures.push(...error.failures.map(({ code }) => code));
  else if (error instanceof PannierError) failures.push(error.failure.code);
}
console.log(JSON.stringify({ names: Object.keys(pannier), facts, failures }));
`;

async function npm(...args: readonly string[]): Promise<string> {
  const { stdout } = await run('npm', args, { cwd: project });
  return stdout;
}

async function npx(...args: readonly string[]): Promise<string> {
  const { stdout } = await run('npx', ['--no-install', 'pannier', ...args], { cwd: project });
  return stdout;
}

async function tsc(...args: readonly string[]): Promise<void> {
  await run('tsc', [...args, 'embedder.ts'], { cwd: project }).catch((error: { stdout: string }) => {
    throw new Error(error.stdout);
  });
}
