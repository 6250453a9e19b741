import { chmodSync, linkSync, readFileSync, statSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Made } from '../../../src/deliver/output-state.ts';
import { openSink, outputIn, useScratch } from './file-sink.helpers.ts';

const scratch = useScratch();

const made: Made = {
  config: 'abc',
  by: '1.2.3',
  atWallMs: 5,
  values: new Map([
    ['db', { id: '["bao",{"kv":"secret/private"}]', version: '7', isOwn: false, fetchedWallMs: 9, valueNumber: 4 }],
    ['secret bao team/private', { id: 'team/private', version: '2', isOwn: true, fetchedWallMs: 8 }],
  ]),
};

/** An output with two generations, both noted. */
async function noted() {
  const dir = scratch();
  const output = outputIn(dir, { files: { f: {} } });
  const sink = await openSink(output);
  for (const text of ['one', 'two']) {
    const staged = await sink.stage(new Map([['f', Buffer.from(text)]]));
    if (typeof staged === 'string') throw new Error(staged);
    await staged.commit();
  }
  await (await sink.drift?.())?.note(new Map([1, 2, 9].map((generation) => [generation, made])));
  const path = join(dir, '..statement');
  const reread = async () => {
    const next = await openSink(output);
    return (await (await next.drift?.())?.noted()) ?? new Map<number, Made>();
  };
  return { dir, path, reread };
}

describe('the note of what generations are made of', () => {
  it('is for the agent alone, and holds neither paths nor names of computed secrets', async () => {
    const { path } = await noted();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const text = readFileSync(path, 'utf8');
    expect(text).not.toContain('private');
    expect(text).toContain('"db"');
  });

  it('tells the next process of the generations that are there', async () => {
    const { reread } = await noted();
    const found = await reread();
    expect([...found.keys()]).toEqual([1, 2]);
    expect(found.get(2)).toMatchObject({ config: 'abc', by: '1.2.3', atWallMs: 5 });
    const [[, db] = [], [name, computed] = []] = [...(found.get(2)?.values ?? [])];
    expect(db).toMatchObject({ version: '7', isOwn: false, fetchedWallMs: 9, id: expect.stringMatching(/^sha256:/) });
    expect(db, 'the next process numbers its values anew').not.toHaveProperty('valueNumber');
    expect([name, computed]).toMatchObject([expect.stringMatching(/^computed \S{12}$/), { version: '2', isOwn: true }]);
  });

  it('says nothing of a generation whose file was changed since', async () => {
    const { dir, reread } = await noted();
    chmodSync(join(dir, '..g2/f'), 0o600);
    writeFileSync(join(dir, '..g2/f'), 'TWO');
    expect([...(await reread()).keys()]).toEqual([1]);
  });

  it('says nothing of a generation with one file more or one less', async () => {
    const { dir, reread } = await noted();
    writeFileSync(join(dir, '..g2/g'), '');
    unlinkSync(join(dir, '..g1/f'));
    expect((await reread()).size).toBe(0);
  });

  it.each<[what: string, change: (path: string) => void]>([
    ['others may read', (path) => chmodSync(path, 0o640)],
    ['has a second name', (path) => linkSync(path, `${path}.2`)],
    ['is cut off', (path) => writeFileSync(path, readFileSync(path).subarray(0, 100))],
    ['is JSON of another form', (path) => writeFileSync(path, '{"format":1,"generations":[{"generation":2}]}')],
    [
      'has a later format',
      (path) => writeFileSync(path, readFileSync(path, 'utf8').replace('"format":1', '"format":2')),
    ],
    [
      'is a link',
      (path) => {
        writeFileSync(`${path}.2`, readFileSync(path), { mode: 0o600 });
        unlinkSync(path);
        symlinkSync(`${path}.2`, path);
      },
    ],
  ])('says nothing when it %s', async (_, change) => {
    const { path, reread } = await noted();
    change(path);
    expect((await reread()).size).toBe(0);
  });
});
