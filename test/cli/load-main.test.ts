import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';

const run = promisify(execFile);

let dist: string;
beforeEach(async () => {
  dist = await mkdtemp(join(tmpdir(), 'pannier-dist-'));
  await cp('dist', dist, { recursive: true });
});
afterEach(() => rm(dist, { recursive: true, force: true }));

test('the build makes bytecode that this Node accepts', async () => {
  expect(await isRefused(await bytecode())).toBe(false);
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

/** The path of the one bytecode file in the copy of `dist`. */
async function bytecode(): Promise<string> {
  const [file, ...more] = (await readdir(dist)).filter((name) => name.endsWith('.bytecode'));
  expect(more).toEqual([]);
  return join(dist, file ?? 'none');
}

/**
 * Whether V8 refuses the bytecode. Another process is asked, since the test runner has set flags of its own in this
 * one.
 */
async function isRefused(file: string, flags: readonly string[] = []): Promise<boolean> {
  const program = `
    import { readFileSync } from 'node:fs';
    import { compileMain } from ${JSON.stringify(resolve('src/cli/load-main.ts'))};
    console.log(compileMain(${JSON.stringify(dist)}, readFileSync(${JSON.stringify(file)})).cachedDataRejected);`;
  const { stdout } = await run(process.execPath, [...flags, '--input-type=module', '--eval', program]);
  return JSON.parse(stdout) as boolean;
}

async function version(): Promise<string> {
  return (await run(process.execPath, [join(dist, 'pannier.js'), '--version'])).stdout;
}
