/**
 * Vitest configuration of `npm run test:unit`: the tests that start no server and need no build. A test needs a server
 * when it, or a helper that it imports, imports `test/servers/`; it needs the build when it names `dist/`. Tests that
 * take many seconds by their nature (kills, large numbers) are left to `npm test`.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { defineConfig } from 'vitest/config';
import shared from '../vitest.config.ts';

const root = join(import.meta.dirname, '..');
const tests = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => `test/${name}`);
const SLOW = /\/(?:kill|scale|no-mix)\.test\.ts$/;
const known = new Map<string, boolean>();

function isUnit(file: string): boolean {
  const before = known.get(file);
  if (before !== undefined) return before;
  known.set(file, true); // so that a circle of imports ends
  const text = readFileSync(join(root, file), 'utf8');
  const imported = [...text.matchAll(/^(?:import|export|\}) .*from '(\.[^']+\.ts)'/gm)].map(([, path]) =>
    normalize(join(dirname(file), path ?? '')),
  );
  const is =
    !/\bdist\/|'npm'|'npx'/.test(text) &&
    imported.every((path) => !path.startsWith('test/servers/') && (!path.startsWith('test/') || isUnit(path)));
  known.set(file, is);
  return is;
}

export default defineConfig({
  ...shared,
  root,
  test: { ...shared.test, include: tests.filter((file) => !SLOW.test(file) && isUnit(file)) },
});
