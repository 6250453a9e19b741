import { spawnSync } from 'node:child_process';
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { memoryDisk } from '../../src/deliver/file/disk.ts';
import { Folder } from '../../src/deliver/file/folder.ts';
import { FakeClock } from '../fake-clock.ts';
import { ATTACKER, attackerMissing, clear, giveToAttacker, startAttacker } from './attacker.helpers.ts';
import {
  bytesOf,
  failureOf,
  isRoot,
  listTree,
  openSink,
  outputIn,
  publish,
  read,
  useScratch,
} from './file/file-sink.helpers.ts';

const scratch = useScratch();
const onDisk = useScratch(tmpdir());
const mounted: string[] = [];
afterEach(() => {
  for (const dir of mounted.splice(0)) spawnSync('umount', ['-l', dir]);
});

function mount(...args: readonly string[]): boolean {
  if (spawnSync('mount', args).status !== 0) return false;
  mounted.push(args.at(-1) as string);
  return true;
}

describe('the directory of an output that was exchanged after the start', () => {
  it('for a symlink is OUTPUT_SYMLINK at the next publish, and nothing is written where it leads', async () => {
    const base = scratch();
    const dir = join(base, 'secrets');
    mkdirSync(join(base, 'elsewhere'));
    const clock = new FakeClock(Date.now());
    const sink = await openSink(outputIn(dir), clock);
    await publish(sink, { a: '1' });
    await publish(sink, { a: '2' });
    const staged = await sink.stage(bytesOf({ a: '3' }));
    if (typeof staged === 'string') throw new Error('expected a change');
    renameSync(dir, join(base, 'moved'));
    symlinkSync('elsewhere', dir);
    await clock.advance(11_000);
    for (const call of [
      () => staged.commit(),
      () => sink.stage(bytesOf({ a: '4' })),
      () => sink.sweep(),
      () => sink.mark.settle(2),
      () => sink.mark.owed(),
      () => sink.recover(),
    ]) {
      expect((await failureOf(call())).code, String(call)).toBe('OUTPUT_SYMLINK');
    }
    expect(listTree(join(base, 'elsewhere'))).toEqual([]);
    expect(readlinkSync(join(base, 'moved/..data'))).toBe('..g2');
    // When the mount is back, publishing goes on.
    rmSync(dir);
    renameSync(join(base, 'moved'), dir);
    await publish(sink, { a: '5' });
    expect(read(dir, 'a')).toBe('5');
  });

  it('for another directory between stage and commit publishes nothing there', async () => {
    const base = scratch();
    const dir = join(base, 'secrets');
    const sink = await openSink(outputIn(dir));
    const staged = await sink.stage(bytesOf({ a: '1' }));
    if (typeof staged === 'string') throw new Error('expected a change');
    renameSync(dir, join(base, 'moved'));
    // It has a candidate of the same name, with bytes of somebody else.
    mkdirSync(join(dir, basename(staged.dir)), { recursive: true });
    writeFileSync(join(dir, basename(staged.dir), 'a'), 'foreign');
    const before = listTree(dir);
    expect((await failureOf(staged.commit())).code).toBe('OUTPUT_NOT_WRITABLE');
    expect(listTree(dir)).toEqual(before);
    await publish(sink, { a: '2' });
    expect(read(dir, 'a')).toBe('2');
  });

  it('is checked before each step where paths cannot start from a descriptor', async () => {
    const base = scratch();
    const path = join(base, 'secrets');
    for (const name of ['secrets', 'other']) mkdirSync(join(base, name));
    const folder = new Folder(path, { path, place: 'outputs.shop', disk: memoryDisk, stats: lstatSync(path) });
    expect((await failureOf(folder.check())).code).toBe('resolved');
    rmSync(path, { recursive: true });
    symlinkSync('other', path);
    expect((await failureOf(folder.check())).code).toBe('OUTPUT_SYMLINK');
    rmSync(path);
    renameSync(join(base, 'other'), path);
    expect((await failureOf(folder.check())).code).toBe('OUTPUT_SYMLINK');
  });

  it.runIf(isRoot)('may be reached through a symlink only where root made it', async () => {
    const base = scratch();
    for (const made of ['real', 'app', 'elsewhere']) mkdirSync(join(base, made));
    symlinkSync('real', join(base, 'run'));
    const trusted = await openSink(outputIn(join(base, 'run/shop')));
    await publish(trusted, { a: '1' });
    expect(read(base, 'real/shop/a')).toBe('1');

    giveToAttacker(join(base, 'app'));
    const foreign = await openSink(outputIn(join(base, 'app/sub/secrets')));
    await publish(foreign, { a: '1' });
    renameSync(join(base, 'app/sub'), join(base, 'app/moved'));
    mkdirSync(join(base, 'elsewhere/secrets'));
    symlinkSync('../elsewhere', join(base, 'app/sub'));
    const refused = await failureOf(foreign.stage(bytesOf({ a: '2' })));
    expect(refused).toMatchObject({ code: 'OUTPUT_SYMLINK', text: expect.stringContaining(join(base, 'app/sub,')) });
    expect((await failureOf(openSink(outputIn(join(base, 'app/sub/other'))))).code).toBe('OUTPUT_SYMLINK');
    rmSync(join(base, 'elsewhere/secrets'), { recursive: true });
    expect((await failureOf(foreign.stage(bytesOf({ a: '2' })))).code).toBe('OUTPUT_SYMLINK');
    expect(listTree(join(base, 'elsewhere'))).toEqual([]);
  });
});

describe.skipIf(attackerMissing !== undefined)(
  'a user who owns the folders around an output, and exchanges them',
  () => {
    it.each([
      ['tmpfs', scratch],
      ['a disk', onDisk],
    ])('its directory for a symlink at any moment gets nothing published elsewhere, on %s', async (_, place) => {
      const base = place();
      const app = join(base, 'app');
      mkdirSync(app);
      mkdirSync(join(base, 'elsewhere'));
      symlinkSync('../elsewhere', join(app, 'link'));
      giveToAttacker(app);
      const clock = new FakeClock(Date.now());
      const sink = await openSink(outputIn(join(app, 'secrets'), { files: { a: { uid: ATTACKER } } }), clock);
      await using _attacker = await startAttacker('swap', join(app, 'secrets'), join(app, 'link'));
      const codes = new Set<string>();
      for (let round = 0; round < 150; round++) {
        codes.add((await failureOf(publish(sink, { a: `${round}`, 'b/c': `${round}` }))).code);
        codes.add((await failureOf(sink.mark.settle(round))).code);
        await clock.advance(11_000);
        codes.add((await failureOf(sink.sweep())).code);
      }
      expect(listTree(join(base, 'elsewhere'))).toEqual([]);
      expect(codes).toContain('OUTPUT_SYMLINK');
      // Either side may be quicker. The last code is that of a directory that was exchanged while it was opened.
      for (const code of ['OUTPUT_SYMLINK', 'resolved', 'OUTPUT_NOT_WRITABLE']) codes.delete(code);
      expect([...codes]).toEqual([]);
    });

    it.each([
      ['tmpfs', scratch],
      ['a disk', onDisk],
    ])('a generation for a symlink while it is swept removes nothing elsewhere, on %s', async (_, place) => {
      const base = place();
      const dir = join(base, 'app');
      const kept = Array.from({ length: 40 }, (_one, n) => `kept${n}`);
      mkdirSync(dir);
      giveToAttacker(dir);
      mkdirSync(join(base, 'victim/in'), { recursive: true });
      for (const name of kept) writeFileSync(join(base, 'victim/in', name), 'theirs');
      await using _attacker = await startAttacker('swap', join(dir, '..g1'), join(dir, 'other'));
      for (let round = 0; round < 150; round++) {
        await clear(dir, ['other', '..g1']);
        mkdirSync(join(base, 'made/in'), { recursive: true });
        for (const name of kept) writeFileSync(join(base, 'made/in', name), 'ours');
        renameSync(join(base, 'made'), join(dir, '..g1'));
        symlinkSync('../victim', join(dir, 'other'));
        for (let tries = 0; tries < 4; tries++) await failureOf(openSink(outputIn(dir)));
        expect(readdirSync(join(base, 'victim/in')), `round ${round}`).toHaveLength(kept.length);
      }
    });

    it('changes neither owner nor mode of a directory of another user by exchanging a candidate', async () => {
      const base = scratch();
      const app = join(base, 'app');
      mkdirSync(join(base, 'elsewhere'));
      mkdirSync(app);
      giveToAttacker(app);
      const output = outputIn(app, { uid: ATTACKER, gid: ATTACKER, mode: 0o440 });
      const sink = await openSink(output);
      const others = join(app, 'others');
      await using _attacker = await startAttacker('meet', app, '..g', others);
      for (let round = 0; round < 600; round++) {
        // A symlink, or a private directory of root, which the owner of its parent may move.
        let theirs: number | undefined;
        if (round % 3 === 0) symlinkSync('../elsewhere', others);
        else {
          mkdirSync(others, { mode: 0o700 });
          theirs = openSync(others, constants.O_DIRECTORY);
          writeFileSync(`/proc/self/fd/${theirs}/private`, 'theirs');
        }
        await failureOf(publish(sink, { 'a/b': `${round}`, c: 'x' }));
        if (theirs !== undefined) {
          const { uid, mode } = fstatSync(theirs);
          closeSync(theirs);
          expect([uid, mode & 0o777], `round ${round}`).toEqual([0, 0o700]);
        }
        await clear(app);
      }
      expect(listTree(join(base, 'elsewhere'))).toEqual([]);
    });
  },
);

const mayMount = (() => {
  const dir = `${tmpdir()}/pannier-mount-${process.pid}`;
  mkdirSync(dir);
  const may = mount('-t', 'tmpfs', 'none', dir);
  if (may) spawnSync('umount', ['-l', mounted.pop() as string]);
  rmSync(dir, { recursive: true });
  return may;
})();

describe.skipIf(!mayMount)('requireTmpfs (needs the right to mount)', () => {
  it('refuses at the next publish when the mount is gone, and goes on when it is back', async () => {
    const dir = join(onDisk(), 'secrets');
    mkdirSync(dir);
    mount('-t', 'tmpfs', 'none', dir);
    const sink = await openSink(outputIn(dir, { requireTmpfs: true }));
    await publish(sink, { a: '1' });
    spawnSync('umount', ['-l', dir]);
    for (const call of [() => sink.stage(bytesOf({ a: '1' })), () => sink.mark.settle(1), () => sink.sweep()]) {
      const refused = await call().catch((error: unknown) => error);
      expect(refused).toMatchObject({ failure: { code: 'OUTPUT_NOT_TMPFS', retry: 'backoff' } });
    }
    expect(listTree(dir)).toEqual([]);
    mount('-t', 'tmpfs', 'none', dir);
    await publish(sink, { a: '2' });
    expect(read(dir, 'a')).toBe('2');
  });

  it('refuses when something is mounted over the directory, also between stage and commit', async () => {
    const base = onDisk();
    for (const name of ['secrets', 'disk']) mkdirSync(join(base, name));
    const dir = join(base, 'secrets');
    mount('-t', 'tmpfs', 'none', dir);
    const sink = await openSink(outputIn(dir, { requireTmpfs: true }));
    const staged = await sink.stage(bytesOf({ a: '1' }));
    if (typeof staged === 'string') throw new Error('expected a change');
    mount('--bind', join(base, 'disk'), dir);
    expect((await failureOf(staged.commit())).code).toBe('OUTPUT_NOT_TMPFS');
    expect((await failureOf(sink.stage(bytesOf({ a: '2' })))).code).toBe('OUTPUT_NOT_TMPFS');
    expect(listTree(dir)).toEqual([]);
  });
});
