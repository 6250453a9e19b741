import { describe, expect, it } from 'vitest';
import { UsedValues } from '../../../src/agent/output/used-values.ts';

const db = (version: string) => new Map([['db', version]]);

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
    used.republished(3, 1);
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
