import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

/** Each folder imports only folders that are before it in this list. See docs/architecture.md. */
const LAYERS = [
  'base',
  'certificate',
  'log',
  'config',
  'http',
  'otlp',
  'feed',
  'backend',
  'lease',
  'state',
  'render',
  'process',
  'deliver',
  'reload',
  'observe',
  'trace',
  'agent',
  'import',
  'injector',
  'relay',
  'cli',
];

const src = resolve('src');

interface Import {
  readonly file: string;
  readonly target: string;
}

const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
const imports: readonly Import[] = files.flatMap((file) => {
  const text = readFileSync(join(src, file), 'utf8');
  const found = text.matchAll(/(?:import|export)\s+(?:type\s)?[^'";]*?from\s+'(\.[^']+)'|import\('(\.[^']+)'\)/g);
  return [...found].map(([, from, dynamic]) => ({
    file,
    target: relative(src, resolve(src, dirname(file), (from ?? dynamic) as string)),
  }));
});

describe('layers', () => {
  it('the list names the folders of src, and no others', () => {
    const folders = readdirSync(src, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    const used = new Set(folders.map(({ name }) => name).filter((name) => files.some((f) => f.startsWith(`${name}/`))));
    expect([...used].filter((name) => !LAYERS.includes(name))).toEqual([]);
  });

  it('each folder imports only folders above it', () => {
    const layerOf = (path: string) => LAYERS.indexOf(path.split('/')[0] as string);
    const wrong = imports.filter(({ file, target }) => file.includes('/') && layerOf(target) > layerOf(file));
    expect(wrong.map(({ file, target }) => `${file} imports ${target}`)).toEqual([]);
  });

  it('no imports form a circle, not even imports of types', () => {
    const next = new Map<string, string[]>();
    for (const { file, target } of imports) next.set(file, [...(next.get(file) ?? []), target]);
    const done = new Set<string>();
    const circles: string[] = [];
    const walk = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(' → '));
      if (done.has(file)) return;
      done.add(file);
      for (const target of next.get(file) ?? []) walk(target, [...path, file]);
    };
    for (const file of files) walk(file, []);
    expect(circles).toEqual([]);
  });

  it('a backend imports no other backend, except for the Vault login by AWS keys', () => {
    const kindIn = (path: string) => /^backend\/([^/]+)\//.exec(path)?.[1];
    const foreign = imports.filter(({ file, target }) => {
      const [from, to] = [kindIn(file), kindIn(target)];
      return from !== undefined && to !== undefined && from !== to;
    });
    const [wrong, excepted] = [false, true].map((isExcepted) =>
      foreign.filter(({ file, target }) => {
        const isAwsLogin = file.startsWith('backend/vault/') && target.startsWith('backend/aws/');
        return isAwsLogin === isExcepted;
      }),
    );
    expect(wrong?.map(({ file, target }) => `${file} imports ${target}`)).toEqual([]);
    expect([...new Set(excepted?.map(({ file }) => file))].sort()).toEqual([
      'backend/vault/auth/methods/aws.ts',
      'backend/vault/config/config.ts',
      'backend/vault/config/resolve-auth.ts',
    ]);
  });

  it('the process environment is read in one place', () => {
    const readers = files.filter((file) => /process\.env\b/.test(stripComments(readFileSync(join(src, file), 'utf8'))));
    // start-over.ts only checks whether Pannier must start again without NODE_DEBUG.
    expect(readers.sort()).toEqual(['cli/start-over.ts', 'config/environment.ts']);
  });
});

function stripComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
}
