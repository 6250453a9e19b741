import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { KeyWrap } from '../../src/backend/key-wrap.ts';
import { failure } from '../../src/base/errors.ts';
import { encodeContents, type StateContents } from '../../src/state/contents.ts';
import { type OpenedState, openState, openWrappedState } from '../../src/state/open-state.ts';
import { seal } from '../../src/state/seal.ts';
import { createStateFolder } from '../../src/state/state-file.ts';

const key = { from: 'env', name: 'PANNIER_STATE_KEY' } as const;
const GOOD = 'k'.repeat(32);
const WRONG = 'w'.repeat(32);
const dirs: string[] = [];
afterEach(async () => {
  for (const dir of dirs.splice(0)) await rm(dir, { recursive: true, force: true });
});

const holding = (savedWallMs: number, name = 'a'): StateContents => ({
  savedWallMs,
  secrets: [
    { id: name, backend: 'bao', fetchedWallMs: 1, value: { fields: new Map(), life: { kind: 'none' } } as never },
  ],
  logins: [],
});
const EMPTY = (savedWallMs: number): StateContents => ({ savedWallMs, secrets: [], logins: [] });

async function setUp() {
  const root = await mkdtemp('/tmp/pannier-test-');
  dirs.push(root);
  const path = join(root, 'state');
  const config = { path, key, maxAgeMs: 1, place: 'state' };
  const folder = createStateFolder(path, 'state');
  const write = (opened: OpenedState, contents: StateContents) =>
    folder.write(seal(encodeContents(contents), opened.key), opened);
  /** One start under a key: it opens what is kept, and writes what it knows then. */
  const start = async (secret: string, contents?: StateContents) => {
    const opened = await openState(config, folder, { PANNIER_STATE_KEY: secret });
    await write(opened, contents ?? { ...opened.contents, savedWallMs: opened.contents.savedWallMs + 1 });
    return opened;
  };
  const names = () =>
    readdirSync(path)
      .filter((name) => name !== '..owner')
      .sort();
  return { path, config, folder, write, start, names };
}
const idsOf = ({ contents }: OpenedState) => contents.secrets.map(({ id }) => id);

describe('a state that was set aside', () => {
  it('is taken up at the next start with the right key, whatever number of starts had the wrong one', async () => {
    const { start, names } = await setUp();
    await start(GOOD, holding(5));
    expect(idsOf(await start(WRONG))).toEqual([]);
    for (let again = 0; again < 5; again++) expect(idsOf(await start(WRONG))).toEqual([]);
    const back = await start(GOOD);
    expect(idsOf(back)).toEqual(['a']);
    expect(back.warning).toMatchObject({
      code: 'STATE_UNREADABLE',
      seen: expect.stringContaining('refused, which was set aside before, can be opened and is taken up'),
    });
    const after = await start(GOOD);
    expect([idsOf(after), after.warning, names()]).toEqual([['a'], undefined, ['refused.1', 'state']]);
  });

  it('is not lost to keys that go to and fro, nor to a new key at each start: the smallest goes', async () => {
    const { start, names } = await setUp();
    await start(GOOD, holding(5));
    for (let round = 0; round < 12; round++) await start(String(round).padStart(32, 'x'), EMPTY(round));
    expect(names()).toEqual(['refused', 'refused.1', 'refused.2', 'refused.3', 'state']);
    for (const secret of [GOOD, WRONG, GOOD, WRONG]) await start(secret);
    expect(idsOf(await start(GOOD))).toEqual(['a']);
    expect(names().length).toBeLessThanOrEqual(5);
  });

  it('is taken up after a damaged file was set aside first', async () => {
    const { path, start } = await setUp();
    await start(GOOD, holding(1, 'old'));
    writeFileSync(join(path, 'state'), Buffer.from('PANNIER damaged'));
    await start(GOOD, holding(2, 'new'));
    await start(WRONG);
    expect(idsOf(await start(GOOD))).toEqual(['new']);
  });

  it('is taken up when the state is missing or holds nothing, and not when that holds something', async () => {
    const { path, start } = await setUp();
    await start(GOOD, holding(5));
    const good = readFileSync(join(path, 'state'));
    await rm(join(path, 'state'));
    writeFileSync(join(path, 'refused'), good, { mode: 0o600 });
    const missing = await start(GOOD, EMPTY(6));
    expect([idsOf(missing), missing.warning, existsSync(join(path, 'refused'))]).toEqual([['a'], undefined, false]);
    await rm(join(path, 'state'));
    await start(GOOD, EMPTY(6));
    writeFileSync(join(path, 'refused'), good, { mode: 0o600 });
    expect(idsOf(await start(GOOD, holding(7, 'later')))).toEqual(['a']);
    writeFileSync(join(path, 'refused'), good, { mode: 0o600 });
    expect([idsOf(await start(GOOD)), existsSync(join(path, 'refused'))]).toEqual([['later'], true]);
  });

  it('of several that open, the newest is taken up', async () => {
    const { path, start } = await setUp();
    const opened = await start(GOOD);
    await rm(join(path, 'state'));
    for (const [index, at] of [3, 9, 4].entries()) {
      const name = index === 0 ? 'refused' : `refused.${index}`;
      writeFileSync(join(path, name), seal(encodeContents(holding(at, `of ${at}`)), opened.key), { mode: 0o600 });
    }
    expect(idsOf(await start(GOOD))).toEqual(['of 9']);
  });

  it('under a key of a backend, is taken up when that key is back', async () => {
    const { config, folder, write } = await setUp();
    let holder = 'first';
    const wrap: KeyWrap = {
      identity: 'bao',
      wrap: async (bytes) => `${holder}:${Buffer.from(bytes).toString('base64')}`,
      unwrap: async (text) => {
        const [by, base64 = ''] = text.split(':');
        const refused = failure('BACKEND_MALFORMED', 'state', 'no such key');
        return by === holder ? { key: Buffer.from(base64, 'base64') } : { refused };
      },
      takeLogin: () => undefined,
      [Symbol.asyncDispose]: async () => {},
    };
    const open = () => openWrappedState(config, folder, { wrap, nowWallMs: 1, signal: new AbortController().signal });
    await write(await open(), holding(5));
    holder = 'made anew';
    const without = await open();
    expect([idsOf(without), without.setAside]).toEqual([[], true]);
    await write(without, EMPTY(6));
    holder = 'first';
    const back = await open();
    expect(idsOf(back)).toEqual(['a']);
    await write(back, back.contents);
    expect(idsOf(await open())).toEqual(['a']);
  });
});
