import { spawnSync } from 'node:child_process';
import fs, { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createFileSink } from '../../../src/deliver/file/file-sink.ts';
import { FakeClock } from '../../fake-clock.ts';
import { bytesOf, failureOf, listTree, openSink, outputIn, publish, read, useScratch } from './file-sink.helpers.ts';

const scratch = useScratch();
const mounted: string[] = [];
afterEach(() => {
  for (const dir of mounted.splice(0)) spawnSync('umount', ['-l', dir]);
});

/** Mounts a volume that is unmounted after the tests. False: the tests may not mount. */
function mount(dir: string, ...options: readonly string[]): boolean {
  if (spawnSync('mount', [...options, dir]).status !== 0) return false;
  mounted.push(dir);
  return true;
}

const mayMount = (() => {
  const dir = mkdtempSync(join(tmpdir(), 'pannier-mount-'));
  const may = mount(dir, '-t', 'tmpfs', 'none');
  if (may) spawnSync('umount', ['-l', mounted.pop() as string]);
  rmSync(dir, { recursive: true });
  return may;
})();

describe('OUTPUT_OCCUPIED: what Pannier did not make is never replaced', () => {
  it.each<[string, (path: string) => void]>([
    ['a file', (path) => writeFileSync(path, 'theirs')],
    ['a directory', (path) => mkdirSync(path)],
  ])('%s under the name of an output file', async (_, make) => {
    const dir = scratch();
    make(join(dir, 'app.env'));
    const before = listTree(dir);
    const sink = await openSink(outputIn(dir));
    const refused = await failureOf(sink.stage(bytesOf({ 'app.env': 'ours', other: 'x' })));
    expect(refused).toMatchObject({ code: 'OUTPUT_OCCUPIED', text: expect.stringContaining(join(dir, 'app.env')) });
    expect(listTree(dir)).toEqual(before);
  });

  it.each<[string, (path: string) => void]>([
    ['a file', (path) => writeFileSync(path, 'theirs')],
    ['a directory', (path) => mkdirSync(path)],
  ])('%s in the place of ..data', async (_, make) => {
    const dir = scratch();
    const sink = await openSink(outputIn(dir));
    make(join(dir, '..data'));
    expect((await failureOf(sink.stage(bytesOf({ a: '1' })))).code).toBe('OUTPUT_OCCUPIED');
    expect((await failureOf(sink.recover())).code).toBe('OUTPUT_OCCUPIED');
    expect(listTree(dir)).toHaveLength(1);
  });

  it('a name taken between stage and commit: the candidate goes, the published generation stays', async () => {
    const dir = scratch();
    const sink = await openSink(outputIn(dir));
    await publish(sink, { a: 'old' });
    const staged = await sink.stage(bytesOf({ a: 'new', b: 'new' }));
    if (typeof staged === 'string') throw new Error('expected a change');
    writeFileSync(join(dir, 'b'), 'theirs');
    expect((await failureOf(staged.commit())).code).toBe('OUTPUT_OCCUPIED');
    expect(listTree(dir).map((entry) => entry.split(' ')[0])).toEqual(['..data', '..g1/', '..g1/a', 'a', 'b']);
    expect([read(dir, 'a'), read(dir, 'b')]).toEqual(['old', 'theirs']);
  });

  it('a file in the place of the directory', async () => {
    const path = join(scratch(), 'shop');
    writeFileSync(path, 'theirs');
    expect((await failureOf(openSink(outputIn(path)))).code).toBe('OUTPUT_OCCUPIED');
    expect(read(path)).toBe('theirs');
  });

  it('two names that exclude each other', async () => {
    const dir = scratch();
    const sink = await openSink(outputIn(dir));
    expect((await failureOf(sink.stage(bytesOf({ a: '1', 'a/b': '2' })))).code).toBe('OUTPUT_OCCUPIED');
    expect(listTree(dir)).toEqual([]);
  });
});

describe('symlinks in the destination', () => {
  it('a directory that is a symlink is OUTPUT_SYMLINK, with a trailing slash too', async () => {
    const base = scratch();
    mkdirSync(join(base, 'elsewhere'));
    symlinkSync('elsewhere', join(base, 'shop'));
    for (const dir of [join(base, 'shop'), `${base}/shop/`]) {
      expect((await failureOf(openSink(outputIn(dir)))).code).toBe('OUTPUT_SYMLINK');
    }
    expect(listTree(join(base, 'elsewhere'))).toEqual([]);
  });

  it('a name that leads elsewhere is OUTPUT_SYMLINK', async () => {
    const base = scratch();
    const dir = join(base, 'shop');
    mkdirSync(dir);
    writeFileSync(join(base, 'target'), 'theirs');
    symlinkSync('../target', join(dir, 'a'));
    const sink = await openSink(outputIn(dir));
    const refused = await failureOf(sink.stage(bytesOf({ a: '1' })));
    expect(refused).toMatchObject({ code: 'OUTPUT_SYMLINK', text: expect.stringContaining(join(dir, 'a')) });
    expect(read(base, 'target')).toBe('theirs');
  });

  it.each(['elsewhere', '/etc', '../out', '..g0', '..g1/../elsewhere'])(
    'a ..data that leads to %s is replaced, never followed',
    async (target) => {
      const base = scratch();
      const dir = join(base, 'shop');
      for (const made of ['shop', 'out', 'shop/elsewhere']) mkdirSync(join(base, made));
      symlinkSync(target, join(dir, '..data'));
      const sink = await openSink(outputIn(dir));
      expect(await publish(sink, { a: '1' })).toEqual({ generation: 1, first: true });
      expect(read(dir, 'a')).toBe('1');
      expect(listTree(join(base, 'out'))).toEqual([]);
      expect(listTree(join(dir, 'elsewhere'))).toEqual([]);
    },
  );

  it('a symlink under the name of the next generation is not followed, and the next start removes it', async () => {
    const base = scratch();
    const dir = join(base, 'shop');
    for (const made of ['shop', 'out']) mkdirSync(join(base, made));
    writeFileSync(join(base, 'out/kept'), 'theirs');
    const sink = await openSink(outputIn(dir));
    symlinkSync('../out', join(dir, '..g1'));
    expect((await publish(sink, { a: '1' })).generation).toBe(2);
    expect(listTree(join(base, 'out'))).toEqual(['kept 644']);
    symlinkSync('../out', join(dir, '..g3'));
    await openSink(outputIn(dir));
    expect(existsSync(join(dir, '..g3'))).toBe(false);
    expect(read(base, 'out/kept')).toBe('theirs');
  });

  it.runIf(process.platform === 'linux').each<[string, 'mkdir' | 'open']>([
    ['was made', 'mkdir'],
    ['was opened', 'open'],
  ])('a symlink exchanged for the candidate right after it %s gets no file', async (_, step) => {
    const base = scratch();
    const dir = join(base, 'shop');
    for (const made of ['shop', 'out']) mkdirSync(join(base, made));
    const sink = await openSink(outputIn(dir));
    const restore = after(step, '/..g1', () => {
      renameSync(join(dir, '..g1'), join(base, 'moved'));
      symlinkSync('../out', join(dir, '..g1'));
    });
    const { code } = await failureOf(sink.stage(bytesOf({ a: '1', 'b/c': '2' }))).finally(restore);
    expect(code).toBe(step === 'mkdir' ? 'OUTPUT_OCCUPIED' : 'resolved');
    expect(listTree(join(base, 'out'))).toEqual([]);
  });

  it('a published generation that is a symlink is not followed, but published again', async () => {
    const base = scratch();
    const dir = join(base, 'shop');
    for (const made of ['shop', 'out']) mkdirSync(join(base, made), { mode: 0o700 });
    writeFileSync(join(base, 'out/a'), '1', { mode: 0o400 });
    symlinkSync('../out', join(dir, '..g1'));
    symlinkSync('..g1', join(dir, '..data'));
    symlinkSync('..data/a', join(dir, 'a'));
    const sink = await openSink(outputIn(dir));
    expect(await publish(sink, { a: '1' })).toMatchObject({ generation: 2 });
  });

  it.each(['..data_tmp', '..reloaded', '..reloaded_tmp'])('a %s that leads elsewhere is replaced', async (name) => {
    const base = scratch();
    const dir = join(base, 'shop');
    mkdirSync(dir);
    writeFileSync(join(base, 'target'), 'theirs');
    const sink = await openSink(outputIn(dir));
    symlinkSync('../target', join(dir, name));
    await publish(sink, { a: '1' });
    expect(await sink.mark.owed()).toEqual({ generation: 1, done: [] });
    await sink.mark.settle(1);
    expect(await sink.mark.owed()).toBeUndefined();
    expect(read(base, 'target')).toBe('theirs');
    await openSink(outputIn(dir));
    expect(listTree(dir)).toEqual(['..data -> ..g1', '..g1/ 700', '..g1/a 400', '..reloaded 600', 'a -> ..data/a']);
  });

  it('a directory in the place of ..reloaded_tmp is named, and stays', async () => {
    const dir = scratch();
    const sink = await openSink(outputIn(dir));
    mkdirSync(join(dir, '..reloaded_tmp'));
    writeFileSync(join(dir, '..reloaded_tmp', 'kept'), 'theirs');
    await publish(sink, { a: '1' });
    const refused = await failureOf(sink.mark.settle(1));
    expect(refused.text).toContain(`cannot remove ${join(dir, '..reloaded_tmp')}`);
    expect(read(dir, '..reloaded_tmp/kept')).toBe('theirs');
  });
});

describe.runIf(process.platform === 'linux')('tmpfs', () => {
  it('is detected, and requireTmpfs refuses everything else', async () => {
    for (const base of ['/dev/shm', tmpdir()].filter((path) => existsSync(path))) {
      const tmpfs = spawnSync('stat', ['-f', '-c', '%T', base], { encoding: 'utf8' }).stdout.trim() === 'tmpfs';
      const dir = mkdtempSync(join(base, 'pannier-test-'));
      try {
        const told = await createFileSink(outputIn(dir), new FakeClock()).recover();
        const required = await failureOf(openSink(outputIn(dir, { requireTmpfs: true })));
        expect([told.tmpfs, required.code]).toEqual([tmpfs, tmpfs ? 'resolved' : 'OUTPUT_NOT_TMPFS']);
      } finally {
        rmSync(dir, { recursive: true });
      }
    }
  });
});

describe.runIf(mayMount)('volumes of their own (need the right to mount)', () => {
  it('a full volume is OUTPUT_FULL: the candidate is removed, the published generation untouched', async () => {
    const dir = scratch();
    mount(dir, '-t', 'tmpfs', '-o', 'size=64k', 'none');
    const sink = await openSink(outputIn(dir));
    await publish(sink, { a: 'old', b: 'old' });
    const before = listTree(dir);
    const refused = await failureOf(sink.stage(bytesOf({ a: 'new', b: 'x'.repeat(100_000) })));
    expect(refused.code).toBe('OUTPUT_FULL');
    expect(refused.text).toContain(`${dir}/..g2/b (ENOSPC)`);
    expect(refused.text).not.toContain('xxx');
    expect(listTree(dir)).toEqual(before);
    expect(read(dir, 'a')).toBe('old');
    expect((await publish(sink, { a: 'new', b: 'new' })).generation).toBe(3);
  });

  it('a volume without free inodes is OUTPUT_FULL, in whichever step that shows', async () => {
    for (let inodes = 4; inodes < 12; inodes++) {
      const dir = scratch();
      mount(dir, '-t', 'tmpfs', '-o', `nr_inodes=${inodes}`, 'none');
      const sink = await openSink(outputIn(dir));
      const publishing = failureOf(publish(sink, { a: '1', 'b/c': '2', d: '3' }));
      const { code } = await publishing;
      if (code === 'resolved') return expect(inodes).toBeGreaterThan(6);
      expect(code).toBe('OUTPUT_FULL');
      expect(listTree(dir).filter((entry) => entry.startsWith('..'))).toEqual([]);
    }
    throw new Error('never had enough inodes');
  });

  it('a read-only volume is OUTPUT_NOT_WRITABLE, at the start and later', async () => {
    const dir = scratch();
    mount(dir, '-t', 'tmpfs', 'none');
    const sink = await openSink(outputIn(dir));
    await publish(sink, { a: 'old' });
    spawnSync('mount', ['-o', 'remount,ro', dir]);
    const refused = await failureOf(sink.stage(bytesOf({ a: 'new' })));
    expect(refused).toMatchObject({ code: 'OUTPUT_NOT_WRITABLE', text: expect.stringContaining('EROFS') });
    expect((await failureOf(openSink(outputIn(dir)))).code).toBe('OUTPUT_NOT_WRITABLE');
    expect((await failureOf(sink.mark.settle(1))).code).toBe('OUTPUT_NOT_WRITABLE');
    expect(read(dir, 'a')).toBe('old');
    expect(await sink.stage(bytesOf({ a: 'old' }))).toBe('equal');
  });

  it('the directory may be a mount point', async () => {
    const dir = scratch();
    mount(dir, '-t', 'tmpfs', 'none');
    const sink = await openSink(outputIn(dir, { requireTmpfs: true }));
    await publish(sink, { a: '1' });
    await publish(sink, { a: '2' });
    expect(read(dir, 'a')).toBe('2');
  });

  it('a volume that is not tmpfs is synced, and publishes the same', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'pannier-test-'));
    try {
      const sink = await openSink(outputIn(dir));
      await publish(sink, { a: '1', 'b/c': '1' });
      await sink.mark.settle((await publish(sink, { a: '2', 'b/c': '2' })).generation);
      expect([read(dir, 'a'), read(dir, 'b/c'), await sink.mark.owed()]).toEqual(['2', '2', undefined]);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});

/**
 * Calls `happen` right after each file system call `step` on a path that ends with `path`, on tmpfs or a disk. Returns
 * a function that ends this.
 */
function after(step: 'mkdir' | 'open', path: string, happen: () => void): () => void {
  const promises = fs.promises as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
  const atOnce = fs as unknown as Record<string, (...args: unknown[]) => unknown>;
  const real = promises[step] as (...args: unknown[]) => Promise<unknown>;
  const realAtOnce = atOnce[`${step}Sync`] as (...args: unknown[]) => unknown;
  promises[step] = async (...args) => {
    const result = await real(...args);
    if (String(args[0]).endsWith(path)) happen();
    return result;
  };
  atOnce[`${step}Sync`] = (...args) => {
    const result = realAtOnce(...args);
    if (String(args[0]).endsWith(path)) happen();
    return result;
  };
  syncBuiltinESMExports();
  return () => {
    promises[step] = real;
    atOnce[`${step}Sync`] = realAtOnce;
    syncBuiltinESMExports();
  };
}
