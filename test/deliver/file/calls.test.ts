import fs from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { slowDisk } from '../../../src/deliver/file/disk.ts';
import { bytesOf, openSink, outputIn, publish, scratchRoot, useScratch } from './file-sink.helpers.ts';

const scratch = useScratch();
afterEach(() => vi.restoreAllMocks());

const CALLS = (
  'open close read write writeFile fchmod fchown fstat lstat mkdir readdir readlink symlink rename unlink rmdir statfs access'
    .split(' ')
    .map((name) => `${name}Sync`) as 'openSync'[]
).filter((name) => typeof fs[name] === 'function');

/** Counts the synchronous calls to the file system that `work` makes, by name; each is one or a few system calls. */
async function callsOf(work: () => Promise<unknown>): Promise<Record<string, number>> {
  const spies = CALLS.map((name) => [name, vi.spyOn(fs, name)] as const);
  await work();
  const counted = spies.map(([name, spy]): [string, number] => [name, spy.mock.calls.length]);
  vi.restoreAllMocks();
  return Object.fromEntries(counted.filter(([, count]) => count > 0));
}

const total = (counts: Record<string, number>) => Object.values(counts).reduce((sum, one) => sum + one, 0);

describe.skipIf(scratchRoot() !== '/dev/shm')('on tmpfs', () => {
  it('the first generation of an empty directory costs few calls, and none of the slow disk', async () => {
    const dir = join(scratch(), 'secrets');
    const slow = Object.keys(slowDisk).map((name) => vi.spyOn(slowDisk, name as 'open'));
    const slowCalls = () => slow.reduce((sum, { mock }) => sum + mock.calls.length, 0);
    const counts = await callsOf(async () => {
      const sink = await openSink(outputIn(dir));
      const { generation } = await publish(sink, { a: '1' });
      await sink.mark.settle(generation);
    });
    expect(total(counts), JSON.stringify(counts)).toBeLessThanOrEqual(40);
    expect(slowCalls()).toBe(0);
  });

  it('a further file of a generation costs five calls, and its link one', async () => {
    const cost = async (files: number) => {
      const dir = join(scratch(), 'secrets');
      const sink = await openSink(outputIn(dir));
      const names = Array.from({ length: files }, (_, at) => [`f${at}`, `${at}`]);
      return total(await callsOf(() => publish(sink, Object.fromEntries(names))));
    };
    expect(((await cost(60)) - (await cost(10))) / 50).toBeLessThanOrEqual(6);
  });

  it('equal bytes are found without writing', async () => {
    const sink = await openSink(outputIn(join(scratch(), 'secrets')));
    await publish(sink, { a: '1', b: '2' });
    const counts = await callsOf(async () => expect(await sink.stage(bytesOf({ a: '1', b: '2' }))).toBe('equal'));
    for (const name of ['writeFileSync', 'mkdirSync', 'renameSync', 'symlinkSync', 'unlinkSync'])
      expect(counts[name], name).toBeUndefined();
  });
});
