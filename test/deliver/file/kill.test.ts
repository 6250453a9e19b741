import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { createFileSink } from '../../../src/deliver/file/file-sink.ts';
import { FakeClock } from '../../fake-clock.ts';
import { filesOf } from '../../fixtures/programs/numbered-files.ts';
import { bundle, bytesOf, outputIn, read, startProgram, useScratch } from './file-sink.helpers.ts';

const scratch = useScratch();
const onDisk = useScratch(tmpdir());

/** The published number, after checking that its files, and no others, can be read through the links. */
function publishedNumber(dir: string): number {
  expect(readlinkSync(join(dir, '..data'))).toMatch(/^\.\.g\d+$/);
  const number = Number(read(dir, '..data/number'));
  const wanted = filesOf(number);
  for (const [name, bytes] of wanted) {
    expect(readlinkSync(join(dir, name.split('/', 1)[0] as string))).toMatch(/^\.\.data\//);
    expect(read(dir, name), name).toBe(bytes.toString());
  }
  const below = readdirSync(join(dir, '..data/'), { recursive: true, withFileTypes: true });
  expect(below.filter((entry) => entry.isFile())).toHaveLength(wanted.size);
  return number;
}

/** Starts again and checks the clean-up: two generations, the mark, and a link for each name remain. */
async function startAnew(dir: string, number: number): Promise<void> {
  // Eleven seconds later no generation stays for readers.
  const sink = createFileSink(outputIn(dir), new FakeClock(Date.now() + 11_000));
  await sink.recover();
  const files = filesOf(number);
  const staged = await sink.stage(files);
  if (typeof staged !== 'string') await staged.commit();
  await sink.sweep();
  const tops = new Set([...files.keys()].map((name) => name.split('/', 1)[0] as string));
  const left = readdirSync(dir).filter((name) => !tops.delete(name));
  expect([...tops]).toEqual([]);
  expect(left.filter((name) => /^\.\.g\d+$/.test(name)).length).toBeLessThanOrEqual(2);
  expect(left.filter((name) => !/^\.\.(g\d+|data|reloaded)$/.test(name))).toEqual([]);
  expect(publishedNumber(dir)).toBe(number);
}

describe('SIGKILL', () => {
  it.each([
    ['within 5 ms of a first write', 100, 0, (): number => Math.random() * 5],
    ['at any moment', 100, 3, (): number => Math.random() * 25],
  ])(
    '%s: what is on disk is complete, and the next start cleans up (%i kills)',
    async (_, kills, pauseMs, delay) => {
      const dir = scratch();
      const publisher = bundle('publish-forever.ts', scratch());
      const { files: _files, ...output } = outputIn(dir);
      await startAnew(dir, 1);
      let number = 1;
      for (let kill = 0; kill < kills; kill++) {
        const child = startProgram(publisher, { output, from: number + 1, pauseMs });
        const publishes = 1 + Math.floor(Math.random() * 5);
        for (let begun = 0; begun < publishes; ) begun += ((await once(child.stdout, 'data')) as [Buffer])[0].length;
        spinMs(delay());
        child.kill('SIGKILL');
        await once(child, 'exit');
        const found = publishedNumber(dir);
        expect(found).toBeGreaterThanOrEqual(number);
        number = found + 1;
        await startAnew(dir, number);
      }
    },
    60_000,
  );

  it.each([
    ['on tmpfs', scratch],
    ['on a disk', onDisk],
  ])(
    'before each single call to the file system that a publish makes, %s',
    async (_, scratch) => {
      const old = { a: 'old', 'gone/x': 'old', kind: 'old' };
      const fresh = { a: 'new', 'added/y': 'new', 'kind/z': 'new' };
      const publisher = bundle('publish-once.ts', scratch());
      const met = { old: 0, new: 0 };
      for (let killAtCall = 1; ; killAtCall++) {
        const dir = scratch();
        const sink = createFileSink(outputIn(dir), systemClock);
        await sink.recover();
        const staged = await sink.stage(bytesOf(old));
        if (typeof staged !== 'string') await sink.mark.settle((await staged.commit()).generation);

        const { files: _, ...output } = outputIn(dir);
        const request = JSON.stringify({ output, files: fresh, killAtCall });
        const child = spawnSync(process.execPath, ['--no-warnings', publisher, request]);
        const kind = read(dir, 'a') as 'old' | 'new';
        const complete = kind === 'old' ? old : fresh;
        for (const [name, text] of Object.entries(complete)) expect(read(dir, name), `call ${killAtCall}`).toBe(text);
        met[kind]++;

        const after = createFileSink(outputIn(dir), new FakeClock(Date.now() + 11_000));
        const { generation } = await after.recover();
        // A new generation is owed until it is settled; the old one was settled before.
        const owed = await after.mark.owed();
        if (child.signal === 'SIGKILL') expect(kind === 'new' || owed === undefined).toBe(true);
        if (owed !== undefined) expect(owed.generation).toBe(generation);
        await after.sweep();
        const wanted = [...new Set(Object.keys(complete).map((name) => name.split('/', 1)[0]))];
        const left = readdirSync(dir).filter((name) => !/^\.\.(g\d+|data|reloaded)$/.test(name));
        expect(left.sort(), `call ${killAtCall}`).toEqual(wanted.sort());
        if (child.signal !== 'SIGKILL') {
          expect(child.status).toBe(0);
          break;
        }
      }
      // Many kills came before the rename, and many after it.
      expect(met.old).toBeGreaterThan(20);
      expect(met.new).toBeGreaterThan(5);
    },
    60_000,
  );
});

/** Waits busily: a timer is only precise to a millisecond or two, and fractions are needed. */
function spinMs(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}
