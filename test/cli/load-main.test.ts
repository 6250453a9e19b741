import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadMain } from '../../src/cli/load-main.ts';

const run = promisify(execFile);

let dist: string;
beforeEach(async () => {
  dist = await mkdtemp(join(tmpdir(), 'pannier-dist-'));
  await cp('dist', dist, { recursive: true });
});
afterEach(() => rm(dist, { recursive: true, force: true }));

test('the build makes bytecode that this Node accepts', async () => {
  const files = (await readdir(dist)).filter((name) => name.endsWith('.bytecode'));
  expect(files.map((name) => name.replace(/-.*/, ''))).toEqual(expect.arrayContaining(['main', 'agent', 'api']));
  for (const file of files) expect([file, await isRefused(join(dist, file))]).toEqual([file, false]);
});

test('a chunk is evaluated when it is required for the first time, and never again', () => {
  const scripts: Readonly<Record<string, string>> = {
    main: '({ 0: (require) => ({ main: () => require("./other.js#1") }) })',
    other: '({ 0: () => ({}), 1: (require) => ({ made: require("made") }) })',
  };
  const required: string[] = [];
  const { main } = loadMain({
    folder: '/nowhere',
    text(script) {
      required.push(`${script}.js`);
      return scripts[script] ?? '';
    },
    bytecode: () => undefined,
    require: (name) => ({ number: required.push(name) }),
  }) as unknown as { readonly main: () => object };
  expect(required).toEqual(['main.js']);
  const first = main();
  expect(first).toEqual({ made: { number: 3 } });
  expect(main()).toBe(first);
  expect(required).toEqual(['main.js', 'other.js', 'made']);
});

test('a library of CommonJS has its members as exports, for import() alone', async () => {
  const scripts: Readonly<Record<string, string>> = {
    main: '({ 0: (require, later) => ({ main: () => [require("./library.js#0"), later("./library.js#0")] }) })',
    library: '({ 0: () => ({ default: { __esModule: true, one: 1, default: 2 } }) })',
  };
  const place = { folder: '/nowhere', bytecode: () => undefined, require: () => undefined };
  const { main } = loadMain({ ...place, text: (script) => scripts[script] ?? '' }) as unknown as {
    readonly main: () => readonly [object, Promise<object>];
  };
  const [required, later] = main();
  const library = { __esModule: true, one: 1, default: 2 };
  expect(required).toEqual({ default: library });
  expect({ ...(await later) }).toEqual({ __esModule: true, one: 1, default: library });
});

test('import() gives a chunk no earlier than in the next turn of the microtasks', async () => {
  const evaluated: string[] = [];
  const scripts: Readonly<Record<string, string>> = {
    main: '({ 0: (require, later) => ({ main: () => later("./other.js#0") }) })',
    other: '({ 0: (require) => { require("evaluated"); return { made: 1 }; } })',
  };
  const { main } = loadMain({
    folder: '/nowhere',
    text: (script) => scripts[script] ?? '',
    bytecode: () => undefined,
    require: (name) => evaluated.push(name),
  }) as unknown as { readonly main: () => Promise<object> };
  const later = main();
  expect(evaluated).toEqual([]);
  expect(await later).toEqual({ made: 1 });
  expect(evaluated).toEqual(['evaluated']);
});

test('bytecode made under other flags is refused', async () => {
  expect(await isRefused(await bytecode(), ['--no-opt'])).toBe(true);
});

test('pannier starts without bytecode, and with damaged bytecode', async () => {
  const file = await bytecode();
  await writeFile(file, 'not bytecode');
  expect(await isRefused(file)).toBe(true);
  expect(await version()).toMatch(/^\d+\.\d+\.\d+\n$/);
  await rm(file);
  expect(await version()).toMatch(/^\d+\.\d+\.\d+\n$/);
});

test('pannier writes nothing beside its code', async () => {
  await rm(await bytecode());
  const before = await readdir(dist);
  await version();
  expect(await readdir(dist)).toEqual(before);
});

/** The bytecode of `main.js` in the copy. */
async function bytecode(): Promise<string> {
  const [file, ...more] = (await readdir(dist)).filter((name) => /^main-.*\.bytecode$/.test(name));
  expect(more).toEqual([]);
  return join(dist, file ?? 'none');
}

/**
 * Whether V8 refuses the bytecode. Another process is asked, since the test runner has set flags of its own in this
 * one.
 */
async function isRefused(file: string, flags: readonly string[] = []): Promise<boolean> {
  const script = basename(file).replace(/-.*/, '');
  const program = `
    import { readFileSync } from 'node:fs';
    import { compileScript } from ${JSON.stringify(resolve('src/cli/load-main.ts'))};
    const folder = ${JSON.stringify(dist)};
    const text = (script) => readFileSync(folder + '/' + script + '.js', 'latin1');
    const bytecode = () => readFileSync(${JSON.stringify(file)});
    console.log(compileScript({ folder, text, bytecode }, ${JSON.stringify(script)}).cachedDataRejected);`;
  const { stdout } = await run(process.execPath, [...flags, '--input-type=module', '--eval', program]);
  return JSON.parse(stdout) as boolean;
}

async function version(): Promise<string> {
  return (await run(process.execPath, [join(dist, 'pannier.js'), '--version'])).stdout;
}
