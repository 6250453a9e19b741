import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const page = readFileSync('docs/operations.md', 'utf8');
const [, table = ''] = /^## What you see, and what to do\n(.*?)^## /ms.exec(page) ?? [];
const named = (pattern: RegExp) => [...new Set([...table.matchAll(pattern)].map(([, name = '']) => name))];

describe('the table of symptoms in docs/operations.md', () => {
  it('has every alert of the examples, and no other', () => {
    const alerts = [...readFileSync('examples/prometheus/alerts.yaml', 'utf8').matchAll(/- alert: (\w+)/g)];
    expect(named(/`(Pannier\w+)`/g).sort()).toEqual(alerts.map(([, name]) => name).sort());
  });

  it('names facts and metrics that exist', () => {
    const facts = [...readFileSync('src/base/fact.ts', 'utf8').matchAll(/kind: '([\w-]+)'/g)].map(([, kind]) => kind);
    const [, ...rows] = table
      .trim()
      .split('\n')
      .map((line) => line.split(' | '));
    const logged = rows.flatMap((cells) => [...(cells[1] ?? '').matchAll(/`([a-z-]+)`/g)].map(([, name]) => name));
    expect(logged.length).toBeGreaterThan(8);
    expect(logged.filter((name) => !facts.includes(name))).toEqual([]);
    const metrics = readFileSync('docs/metrics.md', 'utf8');
    expect(named(/`(pannier_\w+)`/g).filter((name) => !metrics.includes(`| \`${name}\` |`))).toEqual([]);
  });
});
