import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import * as z from 'zod/mini';
import { BACKEND_KINDS } from '../../src/backend/registry.ts';
import { makeTables, tablesOfParts } from '../../src/config/check/make-tables.ts';
import { loadSchemas, type Schemas } from '../../src/config/check/schemas.ts';
import type { SchemaName } from '../../src/config/check/shapes.ts';
import { fits, type KnownTables } from '../../src/config/check/table.ts';
import { loadConfig } from '../../src/config/load.ts';
import { fencedBlocks } from '../docs/fenced.ts';
import { makeFolder, problemsOf } from './config.helpers.ts';

const schemas = await loadSchemas(BACKEND_KINDS);
const { tables, byName } = makeTables(schemas);
const NAMES = Object.keys(schemas) as SchemaName[];

/** What the tables say of a value by the schema of this name, beside what zod says. */
const both = (name: SchemaName, value: unknown): [tables: boolean, zod: boolean] => [
  fits(tables, byName[name], value),
  z.safeParse(schemas[name], structuredClone(value), { jitless: true }).success,
];

/** Every configuration of the pages, the examples and the fixtures. */
const configurations: unknown[] = [
  ...fencedBlocks().flatMap(({ language, text }) => (language === 'yaml' || language === 'json' ? [text] : [])),
  ...filesOf('test/fixtures/config'),
  ...filesOf('examples'),
].flatMap((text) => {
  try {
    return [parse(text) as unknown];
  } catch {
    return []; // several documents, or a fixture with a mistake in its syntax
  }
});

/** The entries in them, by the name of their schema. */
const entries: [name: SchemaName, value: unknown][] = configurations.flatMap((config) => {
  const { backends, secrets, outputs, api, ...rest } = mapOf(config);
  const files = Object.values(mapOf(outputs)).flatMap((output) => Object.values(mapOf(mapOf(output)['files'])));
  const reloads = Object.values(mapOf(outputs)).flatMap((output) => listOf(mapOf(output)['reload']));
  const ofOutputs = (key: string) =>
    Object.values(mapOf(outputs)).flatMap((output) => (mapOf(output)[key] === undefined ? [] : [mapOf(output)[key]]));
  const named = (name: SchemaName, values: readonly unknown[]) =>
    values.map((value) => [name, value] as [SchemaName, unknown]);
  return [
    ...named('head', [config]),
    ...named('backend', Object.values(mapOf(backends))),
    ...named('secret', Object.values(mapOf(secrets))),
    ...named('output', Object.values(mapOf(outputs))),
    ...named('outputFile', files),
    ...named('reload', reloads),
    ...named('check', ofOutputs('check')),
    ...named('verify', ofOutputs('verify')),
    ...named('api', api === undefined ? [] : [api]),
    ...named('apiListener', listOf(mapOf(api)['listeners'])),
    ...named('sdsSecret', Object.values(mapOf(mapOf(rest['sds'])['secrets']))),
    ...NAMES.flatMap((name) => (rest[name] === undefined ? [] : named(name, [rest[name]]))),
  ];
});

describe('the tables of the schemas', () => {
  it('are asked about entries of every schema, good and bad ones', () => {
    for (const name of NAMES) {
      expect(entries.filter(([one]) => one === name).length, name).toBeGreaterThan(0);
      const said = entries.filter(([one]) => one === name).map(([, value]) => both(name, value)[0]);
      expect(said, name).toContain(true);
    }
    expect(entries.length).toBeGreaterThan(200);
  });

  it('accept of the written entries what zod accepts', () => {
    for (const [name, value] of entries) {
      const [ours, zods] = both(name, value);
      expect(ours, `${name} ${JSON.stringify(value)}`).toBe(zods);
    }
  });

  it('accept of changed entries what zod accepts', () => {
    const random = seeded(11);
    const seen = { good: 0, bad: 0 };
    for (const [name, value] of entries) {
      for (let round = 0; round < 25; round++) {
        const changed = change(structuredClone(value), random);
        const [ours, zods] = both(name, changed);
        expect(ours, `${name} ${JSON.stringify(changed)}`).toBe(zods);
        seen[zods ? 'good' : 'bad']++;
      }
    }
    expect(seen.good).toBeGreaterThan(1_000);
    expect(seen.bad).toBeGreaterThan(1_000);
  });

  it('are in parts, of which one has each backend, and none has a secret that all of them together refuse', async () => {
    const parts = Object.values(await tablesOfParts(BACKEND_KINDS)).map((text) => JSON.parse(text) as KnownTables);
    const isInSome = (name: SchemaName, value: unknown) =>
      parts.some((part) => part.byName[name] !== undefined && fits(part.tables, part.byName[name], value));
    for (const [name, value] of entries) {
      if (name === 'backend') expect(isInSome(name, value), JSON.stringify(value)).toBe(both(name, value)[1]);
      if (name === 'secret' && isInSome(name, value)) expect(both(name, value)[1], JSON.stringify(value)).toBe(true);
    }
  });

  it('do not accept the key __proto__, which zod would leave out', () => {
    const env = JSON.parse('{"env": {"__proto__": "x"}}') as unknown;
    expect(both('exec', env)).toEqual([false, true]);
    expect(both('exec', { env: { constructor: 'x', hasOwnProperty: 'y' } })).toEqual([true, true]);
    expect(both('exec', { hasOwnProperty: true })).toEqual([false, false]);
  });

  it('cannot be made of a schema that they do not express', () => {
    const made = (backend: unknown) => () => makeTables({ ...schemas, backend } as Schemas);
    expect(made(z.string().check(z.refine((text) => text !== 'x')))).toThrow('not in RULES');
    expect(made(z.object({ a: z.string() }))).toThrow('no other keys');
    expect(made(z.string().check(z.maxLength(3)))).toThrow('max_length');
    expect(made(z.date())).toThrow('date');
    expect(made(z.string().check(z.regex(/x/i)))).toThrow('string_format');
    expect(made(z.boolean().check(z.refine((on) => on)))).toThrow('custom');
  });
});

describe('a configuration that is checked by tables', () => {
  const load = (cwd: string, withTables: boolean) => {
    const env = { HOME: '/root', CREDENTIALS_DIRECTORY: '/run/c', TOKEN: 'made-up', PORTS: '7', YES: 'true' };
    return loadConfig({
      kinds: BACKEND_KINDS,
      tables: withTables ? { tables, byName } : undefined,
      paths: ['.'],
      env,
      cwd,
    });
  };

  it('is the same as one that is checked by zod, and has the same problems', async () => {
    const texts = fencedBlocks().filter(({ language, text }) => language === 'yaml' && text.includes('version: 1'));
    expect(texts.length).toBeGreaterThan(5);
    for (const { text } of texts) {
      for (const broken of [text, text.replace('kind: vault', 'kind: valt'), text.replace('kv: ', 'vk: ')]) {
        const cwd = makeFolder({ 'pannier.yaml': broken });
        const [ours, zods] = await Promise.all([true, false].map((on) => load(cwd, on).catch((error) => error)));
        expect(ours).toEqual(zods);
      }
    }
  });

  it('may have numbers and booleans from references, which zod takes as such', async () => {
    const api = { socket: './s', maxConnections: '${env:PORTS}', control: '${env:YES}' };
    const backends = { demo: { kind: 'file', path: './x' } };
    const cwd = makeFolder({ 'pannier.json': JSON.stringify({ version: 1, backends, api }) });
    const config = await load(cwd, true);
    expect(config.api?.listeners[0]).toMatchObject({ maxConnections: 7, control: true });
  });

  it('has each problem and each warning once', async () => {
    const config = {
      version: 1,
      backends: { bao: { kind: 'vault', address: 'http://127.0.0.1:1', auth: { method: 'token', token: 'literal' } } },
      secrets: { app: { kv: 'secret/app', refresh: 5 } },
      outputs: { shop: { dir: './out', files: { a: { format: 'json', from: ['${env:ABSENT}'] } } } },
    };
    const cwd = makeFolder({ 'pannier.json': JSON.stringify(config) });
    const [ours, zods] = await Promise.all([true, false].map(async (on) => problemsOf(load(cwd, on))));
    expect(ours).toEqual(zods);
    expect(new Set(ours?.map(({ place }) => place)).size).toBe(ours?.length);
  });
});

function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(?:ya?ml|json)$/.test(entry.name))
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'));
}

function mapOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
}

const STRANGE = [
  '',
  'x',
  '5s',
  '0s',
  '1000000d',
  5,
  -1,
  0,
  1.5,
  4294967295,
  true,
  null,
  [],
  {},
  ['x'],
  { a: 'x' },
] as const;
const KEYS = ['kv', 'role', 'mode', 'from', 'listen', 'unknown', 'signal', 'uid', 'ttl', 'url', '__proto__'] as const;

/** The value with one thing in it changed, removed or added. */
function change(value: unknown, random: () => number): unknown {
  const pick = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)] as T;
  if (typeof value !== 'object' || value === null || random() < 0.15) return structuredClone(pick(STRANGE));
  const keys = Object.keys(value);
  const holder = value as Record<string, unknown>;
  const action = random();
  if (keys.length === 0 || action < 0.15) {
    const key = pick(KEYS);
    // A map with __proto__ is what the tables refuse and zod does not: a test of its own has it.
    if (!Array.isArray(value) && key !== '__proto__') holder[key] = structuredClone(pick(STRANGE));
    return value;
  }
  const key = pick(keys);
  if (action < 0.3 && !Array.isArray(value)) delete holder[key];
  else holder[key] = change(holder[key], random);
  return value;
}
