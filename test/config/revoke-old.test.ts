import { describe, expect, it } from 'vitest';
import { wantId } from '../../src/agent/output/wants.ts';
import { loadWith, problemsOf } from './config.helpers.ts';

const secret = async (given: object) => (await loadWith({ secrets: { db: given } })).secrets.get('db');
const READ = { read: 'database/creds/shop' };

describe('revokeOld of a lease in the configuration', () => {
  it.each([[READ], [{ write: { path: 'aws/sts/deploy' } }]])(
    'of %o is part of its upkeep, and not of what it is',
    async (asked) => {
      const [with30s, without] = [await secret({ ...asked, revokeOld: { after: '30s' } }), await secret(asked)];
      expect([with30s?.request.upkeep, without?.request.upkeep]).toEqual([{ revokeOldAfterMs: 30_000 }, undefined]);
      expect(wantId('bao', with30s?.request as never)).toBe(wantId('bao', without?.request as never));
    },
  );

  it.each([
    [{ ...READ, revokeOld: true }, 'secrets.db.revokeOld'],
    [{ ...READ, revokeOld: {} }, 'secrets.db.revokeOld.after'],
    [{ ...READ, revokeOld: { after: 'soon' } }, 'secrets.db.revokeOld.after'],
    [{ ...READ, revokeOld: { after: '1s', before: '1s' } }, 'secrets.db.revokeOld.before'],
    [{ kv: 'secret/shop/app', revokeOld: { after: '1s' } }, 'secrets.db.revokeOld'],
  ])('%o is refused at its place', async (given, place) => {
    const problems = await problemsOf(loadWith({ secrets: { db: given } }));
    expect(problems.map((problem) => problem.place)).toEqual([place]);
  });
});

describe('keep of an output in the configuration', () => {
  const output = (keep: unknown) => ({ outputs: { o: { dir: '/run/o', files: { f: { content: 'x' } }, keep } } });

  it('is a number of generations', async () => {
    expect((await loadWith(output(3))).outputs.get('o')?.keep).toBe(3);
  });

  it.each([[0], [-1], [21], [1.5], ['3']])('%j is refused at its place', async (keep) => {
    const problems = await problemsOf(loadWith(output(keep)));
    expect(problems.map((problem) => problem.place)).toEqual(['outputs.o.keep']);
  });
});
