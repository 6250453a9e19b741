import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { promisesPage } from './docs/promises-page.ts';
import { PROMISES } from './promises/index.ts';
import { titlesOf } from './promises/titles.ts';

const sources = new Map<string, string>();
const sourceOf = (file: string) => {
  const source = sources.get(file) ?? readFileSync(file, 'utf8');
  sources.set(file, source);
  return source;
};
const held = PROMISES.flatMap((promise) => ('held' in promise ? [promise] : []));

describe('the promises', () => {
  it('each have an id of their own, and are either held by a test or pending', () => {
    const ids = PROMISES.map(({ id }) => id);
    expect(ids).toEqual([...new Set(ids)]);
    const undecided = PROMISES.filter((promise) => 'held' in promise === 'pending' in promise);
    expect(undecided).toEqual([]);
    expect(held.filter((promise) => promise.held.length === 0)).toEqual([]);
  });

  it('that are held name tests that exist, each once in its file', () => {
    const wrong = held.flatMap(({ id, held }) =>
      held.flatMap(({ file, title, row }) => {
        const count = titlesOf(sourceOf(file)).filter((one) => one === title).length;
        const rows = row === undefined || sourceOf(file).includes(row);
        return count === 1 && rows ? [] : [`${id}: ${file} has ${count} × ${title}${rows ? '' : `, no row ${row}`}`];
      }),
    );
    expect(wrong).toEqual([]);
  });

  it('that are pending are these, and no others', () => {
    const waiting = PROMISES.flatMap((promise) => ('pending' in promise ? [`${promise.id}: ${promise.pending}`] : []));
    expect(waiting).toEqual([]);
  });

  it('are written in docs/promises.md as npm run docs writes them', () => {
    expect(readFileSync('docs/promises.md', 'utf8')).toBe(promisesPage());
  });
});
