import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { PROMISES } from '../promises/index.ts';

const page = readFileSync('docs/security.md', 'utf8');

/** The rows of the table below a heading, as cells. */
function tableOf(heading: string): readonly (readonly string[])[] {
  const part = page.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  const rows = part.split('\n').filter((line) => line.startsWith('| '));
  return rows.slice(2).map((row) => row.split(' | ').map((cell) => cell.replace(/^\| | \|$/g, '')));
}

const heldIds = new Set(PROMISES.flatMap((promise) => ('held' in promise ? [promise.id] : [])));

describe('the threat model', () => {
  it.each(['Borders', 'What foreign input may cost'])(
    'ties every row of "%s" to promises that tests hold',
    (heading) => {
      const rows = tableOf(heading);
      expect(rows.length).toBeGreaterThan(5);
      for (const row of rows) {
        const ids = [...(row.at(-1) ?? '').matchAll(/`([a-z0-9-]+)`/g)].map(([, id]) => id ?? '');
        expect(ids, row[0]).not.toEqual([]);
        expect(
          ids.filter((id) => !heldIds.has(id)),
          row[0],
        ).toEqual([]);
      }
    },
  );

  it('names for every attacker what they are kept from and what not', () => {
    const rows = tableOf('Attackers');
    expect(rows.length).toBeGreaterThan(8);
    for (const row of rows) expect(row.filter((cell) => cell.trim() !== '')).toHaveLength(3);
  });

  it('has every promise of the section about hostile input', () => {
    const section = readFileSync('test/promises/security.ts', 'utf8');
    const ids = [...section.matchAll(/held\(\s*'([^']+)'/g)].map(([, id]) => id ?? '');
    expect(ids.length).toBeGreaterThan(5);
    expect(ids.filter((id) => !page.includes(`\`${id}\``))).toEqual([]);
  });
});
