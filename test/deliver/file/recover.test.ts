import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createFileSink } from '../../../src/deliver/file/file-sink.ts';
import { FakeClock } from '../../fake-clock.ts';
import { bytesOf, failureOf, listTree, openSink, outputIn, publish, read, useScratch } from './file-sink.helpers.ts';

const scratch = useScratch();
const generationsIn = (dir: string) => readdirSync(dir).filter((name) => /^\.\.g\d/.test(name));

describe('recover', () => {
  it('answers the published generation and whether the directory is on tmpfs', async () => {
    const dir = scratch();
    const sink = createFileSink(outputIn(dir), new FakeClock());
    expect(await sink.recover()).toMatchObject({ generation: undefined, removed: 0 });
    await publish(sink, { a: '1' });
    await publish(sink, { a: '2' });
    expect(await createFileSink(outputIn(dir), new FakeClock()).recover()).toMatchObject({ generation: 2, removed: 0 });
  });

  it('must be called before anything is staged', async () => {
    const sink = createFileSink(outputIn(scratch()), new FakeClock());
    await expect(sink.stage(bytesOf({ a: '1' }))).rejects.toThrow(TypeError);
  });

  it('removes what a kill left behind: candidates, temporary links, links that lead nowhere', async () => {
    const dir = scratch();
    await publish(await openSink(outputIn(dir)), { a: '1' });
    mkdirSync(join(dir, '..g2'));
    writeFileSync(join(dir, '..g2/a'), 'half');
    mkdirSync(join(dir, '..g7/deep'), { recursive: true });
    symlinkSync('..g2', join(dir, '..data_tmp'));
    symlinkSync('..data/a', join(dir, '..link_tmp'));
    writeFileSync(join(dir, '..reloaded_tmp'), '1');
    symlinkSync('..data/new', join(dir, 'new'));
    mkdirSync(join(dir, '..theirs'));
    writeFileSync(join(dir, '..g08'), 'theirs');
    const sink = createFileSink(outputIn(dir), new FakeClock(Date.now()));
    expect(await sink.recover()).toMatchObject({ generation: 1, removed: 6 });
    expect(listTree(dir)).toEqual([
      '..data -> ..g1',
      '..g08 644',
      '..g1/ 700',
      '..g1/a 400',
      '..theirs/ 755',
      'a -> ..data/a',
    ]);
    expect((await publish(sink, { a: '2' })).generation).toBe(8); // number 7 was used
  });

  it('a published generation that is gone counts as not published, but as one that was read', async () => {
    const dir = scratch();
    await publish(await openSink(outputIn(dir)), { a: '1' });
    rmSync(join(dir, '..g1'), { recursive: true });
    const sink = createFileSink(outputIn(dir), new FakeClock(Date.now()));
    expect((await sink.recover()).generation).toBeUndefined();
    expect(await publish(sink, { a: '1' })).toEqual({ generation: 2, first: false });
  });

  it('keeps a generation that was replaced less than 10 s ago by the process before', async () => {
    const dir = scratch();
    const before = await openSink(outputIn(dir));
    for (const a of ['1', '2', '3', '4']) await publish(before, { a });
    const secondsAgo = (seconds: number) => new Date(Date.now() - seconds * 1000);
    // 4 was begun 3 s ago, so 2 was replaced 3 s ago at the latest; 3 was begun 30 s ago, so 1 was replaced then.
    utimesSync(join(dir, '..g3'), secondsAgo(30), secondsAgo(30));
    utimesSync(join(dir, '..g4'), secondsAgo(3), secondsAgo(3));
    const clock = new FakeClock(Date.now());
    const sink = await openSink(outputIn(dir), clock);
    expect(generationsIn(dir)).toEqual(['..g2', '..g3', '..g4']);
    const due = await sink.sweep();
    expect(due).toBeGreaterThan(6000);
    expect(due).toBeLessThanOrEqual(7000);
    await clock.advance(7000);
    expect(await sink.sweep()).toBeUndefined();
    expect(generationsIn(dir)).toEqual(['..g3', '..g4']);
  });

  it('a wall clock set back keeps a generation 10 s at most', async () => {
    const dir = scratch();
    const before = await openSink(outputIn(dir));
    for (const a of ['1', '2', '3']) await publish(before, { a });
    const clock = new FakeClock(Date.now() - 86_400_000);
    const sink = await openSink(outputIn(dir), clock);
    expect(await sink.sweep()).toBe(10_000);
    await clock.advance(10_000);
    await sink.sweep();
    expect(generationsIn(dir)).toEqual(['..g2', '..g3']);
  });

  it('leaves the links behind a foreign ..data until it is replaced', async () => {
    const dir = scratch();
    mkdirSync(join(dir, '..2026_01_01'));
    writeFileSync(join(dir, '..2026_01_01/a'), 'theirs');
    symlinkSync('..2026_01_01', join(dir, '..data'));
    symlinkSync('..data/a', join(dir, 'a'));
    const sink = await openSink(outputIn(dir));
    expect(read(dir, 'a')).toBe('theirs');
    await publish(sink, { a: 'ours' });
    expect(read(dir, 'a')).toBe('ours');
    expect(existsSync(join(dir, '..2026_01_01/a'))).toBe(true);
  });
});

describe('the reload mark', () => {
  it('owes nothing before the first publish, then each generation until it is settled', async () => {
    const sink = await openSink(outputIn(scratch()));
    expect(await sink.mark.owed()).toBeUndefined();
    await publish(sink, { a: '1' });
    expect(await sink.mark.owed()).toEqual({ generation: 1, done: [] });
    await sink.mark.settle(1);
    expect(await sink.mark.owed()).toBeUndefined();
    await publish(sink, { a: '2' });
    await publish(sink, { a: '3' });
    expect(await sink.mark.owed()).toEqual({ generation: 3, done: [] });
    await sink.mark.settle(2);
    expect(await sink.mark.owed()).toEqual({ generation: 3, done: [] });
  });

  it('is kept when the process ends', async () => {
    const dir = scratch();
    const sink = await openSink(outputIn(dir));
    await publish(sink, { a: '1' });
    expect(await (await openSink(outputIn(dir))).mark.owed()).toEqual({ generation: 1, done: [] });
    await sink.mark.settle(1);
    expect(await (await openSink(outputIn(dir))).mark.owed()).toBeUndefined();
    expect(read(dir, '..reloaded')).toMatch(/^1\nmade 1:[\d.]+\n$/);
  });

  it('names the steps that are done for the published generation, also to the next process', async () => {
    const dir = scratch();
    const sink = await openSink(outputIn(dir));
    await publish(sink, { a: '1' });
    await sink.mark.settle(1);
    await publish(sink, { a: '2' });
    await sink.mark.advance(2, ['first', 'se_c-ond']);
    const owed = { generation: 2, done: ['first', 'se_c-ond'] };
    expect(await (await openSink(outputIn(dir))).mark.owed()).toEqual(owed);
    expect(read(dir, '..reloaded')).toMatch(/^1\n2 first se_c-ond\nmade 1:[\d.]+ 2:[\d.]+\n$/);
    await publish(sink, { a: '3' });
    expect(await sink.mark.owed()).toEqual({ generation: 3, done: [] });
    await sink.mark.settle(3);
    expect(read(dir, '..reloaded')).toMatch(/^3\nmade 1:.* 3:[\d.]+\n$/);
  });

  it('cannot be written where a directory has its name', async () => {
    const dir = scratch();
    const sink = await openSink(outputIn(dir));
    await publish(sink, { a: '1' });
    mkdirSync(join(dir, '..reloaded'));
    expect((await failureOf(sink.mark.settle(1))).code).toBe('OUTPUT_OCCUPIED');
    expect((await failureOf(sink.mark.advance(1, ['first']))).code).toBe('OUTPUT_OCCUPIED');
  });

  it.each(['', '\n', 'garbage', '-1', '1.0', '0x1', ' 1\n', '1', '1\n1\n', '0\n1 \n', '9'.repeat(400)])(
    'that holds %j says nothing, so a reload is owed',
    async (text) => {
      const dir = scratch();
      const sink = await openSink(outputIn(dir));
      await publish(sink, { a: '1' });
      await sink.mark.settle(1);
      writeFileSync(join(dir, '..reloaded'), text);
      expect(await sink.mark.owed()).toEqual({ generation: 1, done: [] });
    },
  );
});
