import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const page = readFileSync('docs/backends.md', 'utf8');
const files = [
  ...readdirSync('test/contract/shelf').map((name) => `test/contract/shelf/${name}`),
  'test/contract/shelf.test.ts',
];
const code = files.map((file) => readFileSync(file, 'utf8')).join('\n');
const blocks = [...page.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, text]) => text as string);

it('the page about backends shows the code of the backend that passes the contract', () => {
  expect(blocks.length).toBeGreaterThan(5);
  // The page shows a class up to the first member that teaches nothing new.
  for (const block of blocks) expect(code).toContain(block.replace(/\n}\n$/, '\n'));
});

it('names only files that exist', () => {
  const named = [...page.matchAll(/`((?:src|test)\/[\w./-]+)`/g)].map(([, path]) => path as string);
  expect(named.length).toBeGreaterThan(8);
  expect(named.filter((path) => !/NAME|gcp/.test(path) && !existsSync(path))).toEqual([]);
});
