import {
  chmodSync,
  chownSync,
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../fake-clock.ts';
import { expectNoLeaks } from '../../faults/leaks.ts';
import { bytesOf, isRoot, listTree, openSink, outputIn, publish, read, useScratch } from './file-sink.helpers.ts';

const scratch = useScratch();
expectNoLeaks();

describe('a publish', () => {
  it('makes a generation, points ..data at it and links each name through ..data', async () => {
    const dir = scratch();
    const sink = await openSink(outputIn(dir));
    expect(await publish(sink, { 'app.env': 'A=1', 'tls.pem': 'PEM' })).toEqual({ generation: 1, first: true });
    expect(listTree(dir)).toEqual([
      '..data -> ..g1',
      '..g1/ 700',
      '..g1/app.env 400',
      '..g1/tls.pem 400',
      'app.env -> ..data/app.env',
      'tls.pem -> ..data/tls.pem',
    ]);
    expect(read(dir, 'app.env')).toBe('A=1');
  });

  it('links the first component of a name with slashes', async () => {
    const dir = scratch();
    const sink = await openSink(outputIn(dir));
    await publish(sink, { 'tls/server/key.pem': 'K', 'tls/ca.pem': 'C', top: 'T' });
    expect(listTree(dir)).toEqual([
      '..data -> ..g1',
      '..g1/ 700',
      '..g1/tls/ 700',
      '..g1/tls/ca.pem 400',
      '..g1/tls/server/ 700',
      '..g1/tls/server/key.pem 400',
      '..g1/top 400',
      'tls -> ..data/tls',
      'top -> ..data/top',
    ]);
    expect(read(dir, 'tls/server/key.pem')).toBe('K');
    expect(await sink.stage(bytesOf({ 'tls/server/key.pem': 'K', 'tls/ca.pem': 'C', top: 'T' }))).toBe('equal');
  });

  it('keeps bytes as they are, empty files and non-UTF-8 included', async () => {
    const dir = scratch();
    const sink = await openSink(outputIn(dir));
    const all = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    const staged = await sink.stage(
      new Map([
        ['all', all],
        ['none', new Uint8Array()],
      ]),
    );
    if (typeof staged !== 'string') await staged.commit();
    expect(new Uint8Array(readFileSync(join(dir, 'all')))).toEqual(all);
    expect(readFileSync(join(dir, 'none'))).toHaveLength(0);
  });

  it('removes the links of names that are gone, and no link that Pannier did not make', async () => {
    const dir = scratch();
    symlinkSync('/etc/hostname', join(dir, 'theirs'));
    writeFileSync(join(dir, 'their-file'), 'kept');
    const sink = await openSink(outputIn(dir));
    await publish(sink, { a: '1', 'b/c': '2' });
    expect(await publish(sink, { d: '3' })).toEqual({ generation: 2, first: false });
    expect(listTree(dir).filter((entry) => !entry.startsWith('..'))).toEqual([
      'd -> ..data/d',
      'their-file 644',
      'theirs -> /etc/hostname',
    ]);
  });

  it('turns a file into a folder and back under one name', async () => {
    const dir = scratch();
    const sink = await openSink(outputIn(dir));
    await publish(sink, { certs: 'one file' });
    await publish(sink, { 'certs/a.pem': 'a' });
    expect(read(dir, 'certs/a.pem')).toBe('a');
    await publish(sink, { certs: 'one file again' });
    expect(read(dir, 'certs')).toBe('one file again');
  });

  it('shows a candidate to checks before readers see it', async () => {
    const dir = scratch();
    const sink = await openSink(outputIn(dir));
    await publish(sink, { a: 'old' });
    const staged = await sink.stage(bytesOf({ a: 'new', b: 'more' }));
    if (typeof staged === 'string') throw new Error('expected a change');
    expect(staged.dir).toBe(join(dir, '..g2'));
    expect([read(staged.dir, 'a'), read(dir, 'a')]).toEqual(['new', 'old']);
    await staged.discard();
    expect(listTree(dir)).toEqual(['..data -> ..g1', '..g1/ 700', '..g1/a 400', 'a -> ..data/a']);
  });

  it('never uses the number of a generation again', async () => {
    const dir = scratch();
    const sink = await openSink(outputIn(dir));
    await publish(sink, { a: '1' });
    const discarded = await sink.stage(bytesOf({ a: '2' }));
    if (typeof discarded !== 'string') await discarded.discard();
    expect((await publish(sink, { a: '3' })).generation).toBe(3);
    await sink.mark.settle(3);
    // With everything but the mark removed, the next start still does not use a number again.
    rmSync(join(dir, '..g3'), { recursive: true });
    unlinkSync(join(dir, '..data'));
    expect((await publish(await openSink(outputIn(dir)), { a: '3' })).generation).toBe(4);
  });

  it('refuses to publish an older candidate over a newer one', async () => {
    const sink = await openSink(outputIn(scratch()));
    const older = await sink.stage(bytesOf({ a: '1' }));
    await publish(sink, { a: '2' });
    if (typeof older === 'string') throw new Error('expected a change');
    await expect(older.commit()).rejects.toThrow(TypeError);
  });

  it('makes a removed directory again, which does not count as a first publish', async () => {
    const dir = join(scratch(), 'shop');
    const sink = await openSink(outputIn(dir));
    await publish(sink, { a: '1' });
    rmSync(dir, { recursive: true });
    expect(await publish(sink, { a: '1' })).toEqual({ generation: 2, first: false });
    expect(read(dir, 'a')).toBe('1');
  });

  it.each(['', '/abs', '../out', 'a/../b', '..data', '..x', 'a//b', './a', 'a/', 'a\0b'])(
    'refuses %j as a file name',
    async (name) => {
      const sink = await openSink(outputIn(scratch()));
      await expect(sink.stage(bytesOf({ [name]: 'x' }))).rejects.toThrow(TypeError);
    },
  );
});

describe('an equal generation', () => {
  const files = { a: 'same', 'b/c': 'same too' };

  it('writes nothing, also after a restart', async () => {
    const dir = scratch();
    await publish(await openSink(outputIn(dir)), files);
    const before = listTree(dir);
    const sink = await openSink(outputIn(dir));
    expect(await sink.stage(bytesOf(files))).toBe('equal');
    expect(listTree(dir)).toEqual(before);
  });

  it.each<[string, Record<string, string>]>([
    ['other bytes of one size', { a: 'sane', 'b/c': 'same too' }],
    ['more bytes', { a: 'same!', 'b/c': 'same too' }],
    ['one name less', { a: 'same' }],
    ['one name more', { ...files, d: '' }],
    ['a name moved', { a: 'same', 'b/d': 'same too' }],
  ])('is not %s', async (_, changed) => {
    const sink = await openSink(outputIn(scratch()));
    await publish(sink, files);
    expect(await sink.stage(bytesOf(changed))).not.toBe('equal');
  });

  it('has the planned modes', async () => {
    const dir = scratch();
    await publish(await openSink(outputIn(dir)), files);
    expect(await (await openSink(outputIn(dir, { mode: 0o440 }))).stage(bytesOf(files))).not.toBe('equal');
  });

  it.runIf(isRoot)('has the configured owners, also when one is no longer configured', async () => {
    const dir = scratch();
    await publish(await openSink(outputIn(dir)), files);
    const owned = await openSink(outputIn(dir, { uid: 1000, gid: 2000 }));
    await publish(owned, files);
    expect(await owned.stage(bytesOf(files))).toBe('equal');
    expect(await (await openSink(outputIn(dir))).stage(bytesOf(files))).not.toBe('equal');
  });

  it.each<[string, (dir: string) => void]>([
    ['changed bytes', (dir) => replace(join(dir, '..g1/a'), (path) => writeFileSync(path, 'evil', { mode: 0o400 }))],
    ['a changed mode', (dir) => chmodSync(join(dir, '..g1/a'), 0o444)],
    ['a changed mode of a folder', (dir) => chmodSync(join(dir, '..g1/b'), 0o777)],
    ['a changed mode of the generation', (dir) => chmodSync(join(dir, '..g1'), 0o777)],
    ['a removed file', (dir) => unlinkSync(join(dir, '..g1/a'))],
    ['an added file', (dir) => writeFileSync(join(dir, '..g1/b/extra'), '')],
    ['a symlink for a file', (dir) => replace(join(dir, '..g1/a'), (path) => symlinkSync('b/c', path))],
    ['a folder for a file', (dir) => replace(join(dir, '..g1/a'), (path) => mkdirSync(path))],
    ['a removed link', (dir) => unlinkSync(join(dir, 'a'))],
    ['a link to another name', (dir) => replace(join(dir, 'a'), (path) => symlinkSync('..data/b', path))],
    ['a removed ..data', (dir) => unlinkSync(join(dir, '..data'))],
    ['a removed generation', (dir) => rmSync(join(dir, '..g1'), { recursive: true })],
  ])('is not one that was tampered with: %s; publishing repairs it', async (_, tamper) => {
    const dir = scratch();
    const sink = await openSink(outputIn(dir));
    await publish(sink, files);
    tamper(dir);
    expect(await publish(sink, files)).toEqual({ generation: 2, first: false });
    expect([read(dir, 'a'), read(dir, 'b/c')]).toEqual(['same', 'same too']);
    expect(await sink.stage(bytesOf(files))).toBe('equal');
  });

  it.runIf(isRoot)('has owners that were not changed on disk', async () => {
    const dir = scratch();
    const sink = await openSink(outputIn(dir));
    await publish(sink, files);
    chownSync(join(dir, '..g1/a'), 4711, 0);
    expect(await sink.stage(bytesOf(files))).not.toBe('equal');
  });
});

describe('the generation before', () => {
  it('stays until the next publish and at least 10 s', async () => {
    const dir = scratch();
    const clock = new FakeClock(Date.now());
    const sink = await openSink(outputIn(dir), clock);
    const generations = () => listTree(dir).flatMap((entry) => /^\.\.g\d+(?=\/ )/.exec(entry)?.[0] ?? []);
    await publish(sink, { a: '1' });
    expect(await sink.sweep()).toBeUndefined();
    await publish(sink, { a: '2' });
    await clock.advance(60_000);
    expect(await sink.sweep()).toBeUndefined();
    expect(generations()).toEqual(['..g1', '..g2']); // replaced long ago, but no publish since

    await publish(sink, { a: '3' });
    expect(await sink.sweep()).toBeUndefined();
    expect(generations()).toEqual(['..g2', '..g3']);
    await clock.advance(4000);
    await publish(sink, { a: '4' });
    expect(await sink.sweep()).toBe(6000); // replaced 4 s ago
    expect(generations()).toEqual(['..g2', '..g3', '..g4']);
    await clock.advance(5999);
    expect(await sink.sweep()).toBe(1);
    await clock.advance(1);
    expect(await sink.sweep()).toBeUndefined();
    expect(generations()).toEqual(['..g3', '..g4']);
  });

  it('stays with as many as the output keeps, and any of them can be read again', async () => {
    const dir = scratch();
    const clock = new FakeClock(Date.now());
    const sink = await openSink({ ...outputIn(dir), keep: 3 }, clock);
    for (const text of ['1', '2', '3', '4', '5', '6']) await publish(sink, { a: text });
    expect(await sink.kept()).toEqual([1, 2, 3, 4, 5]); // replaced a moment ago
    await clock.advance(10_000);
    await sink.sweep();
    expect(await sink.kept()).toEqual([3, 4, 5]);
    const earlier = async (generation?: number) => {
      const found = await sink.earlier(generation);
      return found && [found.generation, Buffer.from(found.files.get('a') ?? '').toString()];
    };
    expect([await earlier(), await earlier(3)]).toEqual([
      [5, '5'],
      [3, '3'],
    ]);
    expect([await earlier(2), await earlier(6), await earlier(7)]).toEqual([undefined, undefined, undefined]);

    await sink.hold(5);
    await publish(sink, { a: '7' });
    await clock.advance(10_000);
    await sink.sweep();
    // The one that is held back is one more, and is not gone back to.
    expect([await sink.kept(), await earlier(5)]).toEqual([[3, 4, 6], undefined]);
    const next = await openSink({ ...outputIn(dir), keep: 1 }, clock);
    await clock.advance(10_000);
    await next.sweep();
    expect(await next.kept()).toEqual([6]);
  });

  it('is still whole for a reader that opened ..data before', async () => {
    const dir = scratch();
    const sink = await openSink(outputIn(dir));
    await publish(sink, { a: '1', b: '1' });
    const opened = openSync(join(dir, '..data'), 'r');
    try {
      await publish(sink, { a: '2', b: '2' });
      await publish(sink, { a: '3', b: '3' });
      await sink.sweep();
      const below = process.platform === 'linux' ? `/proc/self/fd/${opened}` : join(dir, '..g1');
      expect([read(below, 'a'), read(below, 'b')]).toEqual(['1', '1']);
    } finally {
      closeSync(opened);
    }
  });

  it('a sweep leaves a candidate and its links', async () => {
    const dir = scratch();
    const sink = await openSink(outputIn(dir));
    await publish(sink, { a: '1' });
    symlinkSync('..data/new', join(dir, 'new'));
    const staged = await sink.stage(bytesOf({ a: '2', new: 'n' }));
    if (typeof staged === 'string') throw new Error('expected a change');
    await sink.sweep();
    await staged.commit();
    expect([read(dir, 'a'), read(dir, 'new')]).toEqual(['2', 'n']);
  });
});

function replace(path: string, make: (path: string) => void): void {
  unlinkSync(path);
  make(path);
}
