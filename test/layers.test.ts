import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

/** Each folder imports only folders above it; the order is the design's. */
const LAYERS = [
  'base',
  'log',
  'config',
  'client',
  'auth',
  'source',
  'lease',
  'render',
  'process',
  'deliver',
  'reload',
  'observe',
  'agent',
  'cli',
];

const src = resolve('src');

interface Import {
  readonly file: string;
  readonly target: string;
  readonly isType: boolean;
}

const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
const imports: readonly Import[] = files.flatMap((file) => {
  const text = readFileSync(join(src, file), 'utf8');
  const found = text.matchAll(/(?:import|export)\s+(type\s)?[^'";]*?from\s+'(\.[^']+)'|import\('(\.[^']+)'\)/g);
  return [...found].map(([, type, from, dynamic]) => ({
    file,
    target: relative(src, resolve(src, dirname(file), (from ?? dynamic) as string)),
    isType: type !== undefined,
  }));
});

describe('layers', () => {
  it('every folder of src is in the list, and the other way round', () => {
    const folders = readdirSync(src, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    const used = new Set(folders.map(({ name }) => name).filter((name) => files.some((f) => f.startsWith(`${name}/`))));
    expect([...used].filter((name) => !LAYERS.includes(name))).toEqual([]);
  });

  it('each folder imports only folders above it', () => {
    const layerOf = (path: string) => LAYERS.indexOf(path.split('/')[0] as string);
    const wrong = imports.filter(({ file, target }) => file.includes('/') && layerOf(target) > layerOf(file));
    expect(wrong.map(({ file, target }) => `${file} imports ${target}`)).toEqual([]);
  });

  it('no file imports itself through others', () => {
    const next = new Map<string, string[]>();
    for (const { file, target, isType } of imports) {
      if (!isType) next.set(file, [...(next.get(file) ?? []), target]);
    }
    const done = new Set<string>();
    const walk = (file: string, path: readonly string[]): string[] | undefined => {
      if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
      if (done.has(file)) return undefined;
      for (const target of next.get(file) ?? []) {
        const cycle = walk(target, [...path, file]);
        if (cycle !== undefined) return cycle;
      }
      done.add(file);
      return undefined;
    };
    expect(files.map((file) => walk(file, [])).find((cycle) => cycle !== undefined)).toBeUndefined();
  });

  it('the process environment is read in one place', () => {
    const readers = files.filter((file) => /process\.env\b/.test(stripComments(readFileSync(join(src, file), 'utf8'))));
    // start-over.ts only looks whether it must start over without NODE_DEBUG.
    expect(readers.sort()).toEqual(['cli/start-over.ts', 'config/environment.ts']);
  });
});

function stripComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
}
