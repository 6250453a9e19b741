import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BACKEND_KINDS } from '../../src/backend/registry.ts';
import { keyPaths } from '../../src/config/problems/schema-keys.ts';
import { configFileSchema } from '../../src/config/schema.ts';
import { loadKinds } from '../../src/config/sections/backends/schema.ts';
import { fencedBlocks } from './fenced.ts';

const [places = '', course = '', outage = ''] = fencedBlocks()
  .filter(({ page, language }) => page === 'docs/concepts.md' && language === 'mermaid')
  .map(({ text }) => text);
const sections = keyPaths(configFileSchema(await loadKinds(BACKEND_KINDS))).filter((key) => !key.includes('.'));
const source = (path: string) => readFileSync(path, 'utf8');

describe('the pictures of docs/concepts.md', () => {
  it('one says what rides where: each way to and from the agent is a section of the configuration', () => {
    const arrows = [...places.matchAll(/^ *(\w+) -- ([\w, ]+) --> (\w+)/gm)];
    const ways = arrows.map(([, , way = '']) => way).filter((way) => !/^login|^reload$/.test(way));
    expect(ways.filter((way) => !sections.includes(way))).toEqual([]);
    expect(ways).toEqual(expect.arrayContaining(['outputs', 'exec', 'api', 'proxy', 'admin']));
  });

  it('one says what happens: its words are facts, in the order of the log', () => {
    const facts = [...source('src/base/fact.ts').matchAll(/kind: '([\w-]+)'/g)].map(([, kind]) => kind);
    const said = [...course.matchAll(/\b(?:login|secret|output|reload)-[a-z]+\b/g)].map(([fact]) => fact);
    expect(said.filter((fact) => !facts.includes(fact))).toEqual([]);
    expect(said).toEqual([
      ...['login-made', 'secret-changed', 'output-published', 'reload-skipped'],
      ...['secret-renewed', 'secret-unchanged', 'secret-changed', 'output-published', 'reload-done'],
    ]);
  });

  it('one says what happens in an outage: its states are those of pannier status', () => {
    const states = new Set([...outage.matchAll(/\b(\w+) --> |--> (\w+):/g)].map(([, from, to]) => from ?? to));
    const known = [...source('docs/agent.md').matchAll(/^\| `STATE` of a secret \| (.*) \|$/gm)].flatMap(
      ([, cell = '']) => [...cell.matchAll(/`(\w+)`: /g)].map(([, state]) => state),
    );
    expect([...states].sort()).toEqual(known.sort());
  });

  it('are readable in a light and in a dark theme: none sets colours of its own', () => {
    const drawn = fencedBlocks().filter(({ language }) => language === 'mermaid');
    expect(drawn.length).toBeGreaterThanOrEqual(5);
    expect(drawn.filter(({ text }) => /style|classDef|fill|%%\{/.test(text))).toEqual([]);
  });
});
