import { describe, expect, it } from 'vitest';
import { UsedValues } from '../../../src/agent/output/used-values.ts';
import type { Made } from '../../../src/deliver/output-state.ts';

const db = (version: string) => new Map([['db', version]]);

const made = (version: string, atWallMs?: number): Made => ({
  config: 'c',
  ...(atWallMs === undefined ? {} : { atWallMs }),
  values: new Map([['db', { id: 'want', version, isOwn: false, fetchedWallMs: 1 }]]),
});

describe('the values that an application may use', () => {
  it('are those of the generation that it took up last, and of the published one', () => {
    const used = new UsedValues();
    const versions = () => ['1', '2', '3'].filter((version) => used.has('db', version, false));
    used.published(1, db('1'));
    used.takenUp(1);
    expect(versions()).toEqual(['1']);
    used.published(2, db('2'));
    expect(versions()).toEqual(['1', '2']); // the reload is owed
    used.takenUp(2);
    expect(versions()).toEqual(['2']);
    used.equal(db('3')); // the file does not show what has changed
    expect(versions()).toEqual(['3']);
  });

  it('are the old ones again after a rollback', () => {
    const used = new UsedValues();
    used.published(1, db('1'));
    used.takenUp(1);
    used.published(2, db('2'));
    used.republished(3, 1, 30);
    used.takenUp(3);
    expect([used.has('db', '1', false), used.has('db', '2', false)]).toEqual([true, false]);
  });

  it('are all that it ever had, for a process whose environment nobody can change', () => {
    const used = new UsedValues();
    for (const generation of [1, 2, 3]) {
      used.published(generation, db(`${generation}`));
      used.takenUp(generation);
    }
    expect([used.has('db', '1', true), used.has('db', '1', false)]).toEqual([true, false]);
  });

  it('of an earlier process are not known, and no reason to keep anything', () => {
    const used = new UsedValues();
    used.recovered(7);
    expect(used.has('db', '1', true)).toBe(false);
    used.equal(db('1'));
    expect(used.has('db', '1', false)).toBe(true);
  });

  it('do not pile up', () => {
    const used = new UsedValues();
    used.published(1, db('1'));
    used.takenUp(1);
    for (let generation = 2; generation < 100; generation++) used.published(generation, db(`${generation}`));
    expect([used.has('db', '1', false), used.has('db', '50', true), used.has('db', '99', true)]).toEqual([
      true,
      false,
      true,
    ]);
  });
});

describe('what is said of the published generation', () => {
  const versionOf = (used: UsedValues) => used.present?.made?.values.get('db')?.version;

  it('is what it was made of, and nothing when there is none', () => {
    const used = new UsedValues();
    expect(used.present).toBeUndefined();
    used.published(1, db('1'), made('1', 10));
    used.published(2, db('2'), made('2', 20));
    expect([used.present?.generation, versionOf(used)]).toEqual([2, '2']);
  });

  it('is the earlier versions after a rollback', () => {
    const used = new UsedValues();
    used.published(1, db('1'), made('1', 10));
    used.published(2, db('2'), made('2', 20));
    used.republished(3, 1, 30);
    expect([used.present?.generation, versionOf(used), used.present?.made?.atWallMs]).toEqual([3, '1', 30]);
  });

  it('follows a version that makes the same files, and keeps the time of the publish', () => {
    const used = new UsedValues();
    used.published(1, db('1'), made('1', 10));
    used.equal(db('2'), made('2', 30));
    expect([versionOf(used), used.present?.made?.atWallMs]).toEqual(['2', 10]);
  });

  it('of an earlier process is what that one noted, until this one knows better', () => {
    const used = new UsedValues();
    used.recovered(7);
    expect(used.present).toEqual({ generation: 7, made: undefined });
    used.recall(7, made('5', 10));
    used.recall(6, made('4', 9));
    expect(versionOf(used)).toBe('5');
    used.equal(db('6'), made('6', 30));
    used.recall(7, made('5', 10));
    expect([versionOf(used), used.present?.made?.atWallMs]).toEqual(['6', 10]);
    used.republished(8, 6, 40);
    expect(versionOf(used)).toBe('4');
  });

  it('is kept of a few generations only, where each has thousands of values', () => {
    const used = new UsedValues();
    const values = new Map(Array.from({ length: 9_000 }, (_, n) => [`s${n}`, made('1').values.get('db') as never]));
    for (let generation = 1; generation < 10; generation++) {
      used.published(generation, new Map(), { ...made('1'), values });
    }
    expect([...used.known.keys()]).toEqual([7, 8, 9]);
  });
});
