import {
  appendFileSync,
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Sink } from '../../../src/deliver/sink.ts';
import { FakeClock } from '../../fake-clock.ts';
import { bytesOf, openSink, outputIn, publish, read, scratchRoot, useScratch } from './file-sink.helpers.ts';

const filesOf = (text: string) => ({ s: text, 'd/t': `${text} too` });

/** Publishes values, and remembers those that it is asked to. */
async function publishAll(sink: Sink, values: readonly string[], remembers: boolean): Promise<void> {
  for (const text of values) {
    await publish(sink, filesOf(text));
    if (remembers) await (await sink.drift?.())?.remember(bytesOf(filesOf(text)));
  }
}

const open = (dir: string, clock: FakeClock) => openSink({ ...outputIn(dir), keep: 3 }, clock);

/** The generation that a rollback would take, and what is in it. */
async function gone(sink: Sink, generation?: number) {
  const found = await sink.earlier(generation);
  return found && [found.generation, Buffer.from(found.files.get('s') ?? '').toString(), found.files.size];
}

/** What another process does to `..g2`. */
const CHANGES: readonly (readonly [what: string, change: (at: string) => void])[] = [
  ['writes other bytes into a file', (at) => forced(at, 's', 'EVIL')],
  ['writes other bytes of the same length and puts the times back', (at) => withTimes(at, () => forced(at, 's', 'x'))],
  ['writes into a file in a folder', (at) => forced(at, 'd/t', 'EVIL')],
  ['empties a file', (at) => truncateSync(join(at, 's'))],
  ['removes a file', (at) => unlinkSync(join(at, 's'))],
  ['removes a folder', (at) => rmSync(join(at, 'd'), { recursive: true })],
  ['removes everything', (at) => ['s', 'd'].forEach((name) => void rmSync(join(at, name), { recursive: true }))],
  [
    'puts a symlink in the place of a file',
    (at) => {
      unlinkSync(join(at, 's'));
      symlinkSync('/etc/hostname', join(at, 's'));
    },
  ],
  [
    'puts an older file in the place of one',
    (at) => {
      writeFileSync(join(at, '../theirs'), '2');
      renameSync(join(at, '../theirs'), join(at, 's'));
    },
  ],
  [
    'puts a folder in the place of a file',
    (at) => {
      unlinkSync(join(at, 's'));
      mkdirSync(join(at, 's'));
    },
  ],
  ['adds a file', (at) => writeFileSync(join(at, 'd/more'), '')],
  ['makes a file readable', (at) => chmodSync(join(at, 's'), 0o444)],
  ['opens the directory', (at) => chmodSync(at, 0o755)],
  [
    'puts another directory in its place',
    (at) => {
      rmSync(at, { recursive: true });
      mkdirSync(at, { mode: 0o700 });
      writeFileSync(join(at, 's'), 'EVIL', { mode: 0o400 });
    },
  ],
];

function forced(at: string, name: string, text: string): void {
  chmodSync(join(at, name), 0o600);
  writeFileSync(join(at, name), text);
  chmodSync(join(at, name), 0o400);
}

function withTimes(at: string, change: () => void): void {
  const { atime, mtime } = lstatSync(join(at, 's'));
  change();
  utimesSync(join(at, 's'), atime, mtime);
}

describe.each([
  ['on tmpfs', scratchRoot()],
  ['on a disk', tmpdir()],
])('going back, %s', (_, root) => {
  const scratch = useScratch(root);

  it.each(CHANGES)(
    'leaves a generation out after another process %s, and takes the one before',
    async (_what, change) => {
      const dir = scratch();
      const sink = await open(dir, new FakeClock(Date.now()));
      await publishAll(sink, ['1', '2', '3'], true);
      expect([await gone(sink), await sink.kept()]).toEqual([
        [2, '2', 2],
        [1, 2],
      ]);
      change(join(dir, '..g2'));
      expect([await gone(sink), await gone(sink, 2), await sink.kept()]).toEqual([[1, '1', 2], undefined, [1]]);
    },
  );

  it.each(CHANGES)(
    'leaves a generation of an earlier process out after another process %s, and takes the one before',
    async (_what, change) => {
      const dir = scratch();
      const clock = new FakeClock(Date.now());
      const sink = await open(dir, clock);
      await publishAll(sink, ['1', '2'], true);
      await sink.mark.settle(2);
      await coarseTick();
      change(join(dir, '..g2'));
      const next = await open(dir, clock);
      await publish(next, filesOf('3'));
      expect([await gone(next), await gone(next, 2), await next.kept()]).toEqual([[1, '1', 2], undefined, [1]]);
    },
  );

  it('takes a generation of an earlier process that nobody has changed', async () => {
    const dir = scratch();
    const clock = new FakeClock(Date.now());
    const sink = await open(dir, clock);
    await publishAll(sink, ['1', '2'], false);
    await sink.mark.settle(2);
    const next = await open(dir, clock);
    await publish(next, filesOf('3'));
    expect([await gone(next), await gone(next, 1), await next.kept()]).toEqual([
      [2, '2', 2],
      [1, '1', 2],
      [1, 2],
    ]);
  });
});

/** Waits until the system gives a change a later time than one from before: it counts in ticks. */
async function coarseTick(): Promise<void> {
  const dir = scratch();
  const timeOf = (name: string) => {
    writeFileSync(join(dir, name), '');
    return lstatSync(join(dir, name)).ctimeMs;
  };
  const before = timeOf('before');
  while (timeOf('after') === before) await new Promise((resolve) => setImmediate(resolve));
}

const scratch = useScratch();

describe('going back', () => {
  it('leaves a generation of an earlier process out of which nothing is known', async () => {
    const dir = scratch();
    const clock = new FakeClock(Date.now());
    await publishAll(await open(dir, clock), ['1'], true);
    const next = await open(dir, clock); // the one before was killed before it wrote its mark
    await publish(next, filesOf('2'));
    expect([await gone(next), await next.kept()]).toEqual([undefined, []]);
  });

  it('takes a generation that this process found published as it was', async () => {
    const dir = scratch();
    const clock = new FakeClock(Date.now());
    await publishAll(await open(dir, clock), ['1'], true);
    const next = await open(dir, clock);
    expect(await next.stage(bytesOf(filesOf('1')))).toBe('equal');
    await publish(next, filesOf('2'));
    expect(await gone(next)).toEqual([1, '1', 2]);
  });

  it('takes a generation of which a top link is gone or leads elsewhere, and one that was only touched', async () => {
    const dir = scratch();
    const sink = await open(dir, new FakeClock(Date.now()));
    const look = await sink.drift?.();
    await publishAll(sink, ['1'], true);
    unlinkSync(join(dir, 's'));
    utimesSync(join(dir, '..g1/s'), 1, 1);
    expect(await look?.look()).toHaveLength(1);
    await publishAll(sink, ['1', '2'], true);
    expect(await gone(sink, 1)).toEqual([1, '1', 2]);
  });

  it('leaves out a generation of which a look has found another mode', async () => {
    const dir = scratch();
    const sink = await open(dir, new FakeClock(Date.now()));
    const look = await sink.drift?.();
    await publishAll(sink, ['1', '2'], true);
    chmodSync(join(dir, '..g2/s'), 0o444);
    expect(await look?.look()).toHaveLength(1);
    await publishAll(sink, ['2', '3'], true);
    expect([await sink.kept(), await gone(sink)]).toEqual([
      [1, 3],
      [3, '2', 2],
    ]);
  });

  it('leaves out what was held back once, also in the next process', async () => {
    const dir = scratch();
    const clock = new FakeClock(Date.now());
    const sink = await open(dir, clock);
    await publishAll(sink, ['1', 'bad'], true);
    await sink.hold(2);
    await publishAll(sink, ['1', '2'], true);
    await sink.hold(undefined);
    await sink.mark.settle(4);
    expect(await sink.kept()).toEqual([1, 3]);
    const next = await open(dir, clock);
    expect(await next.stage(bytesOf(filesOf('2')))).toBe('equal');
    expect([await next.kept(), await gone(next, 2)]).toEqual([[1, 3], undefined]);
  });

  it('leaves out a generation that was changed by a hard link from elsewhere', async () => {
    const dir = scratch();
    const sink = await open(dir, new FakeClock(Date.now()));
    await publishAll(sink, ['1'], false);
    linkSync(join(dir, '..g1/s'), join(dir, 'other'));
    chmodSync(join(dir, 'other'), 0o600);
    await coarseTick();
    appendFileSync(join(dir, 'other'), 'x');
    await publishAll(sink, ['2'], false);
    expect(await gone(sink)).toBeUndefined();
  });

  it('leaves all out when the mark is one of a version that wrote no times', async () => {
    const dir = scratch();
    const clock = new FakeClock(Date.now());
    const sink = await open(dir, clock);
    await publishAll(sink, ['1', '2'], true);
    await sink.mark.settle(2);
    expect(readFileSync(join(dir, '..reloaded'), 'utf8')).toMatch(/^2\nmade 1:[\d.]+ 2:[\d.]+\n$/);
    writeFileSync(join(dir, '..reloaded'), '2\n');
    const next = await open(dir, clock);
    expect([await next.mark.owed(), await next.kept()]).toEqual([undefined, []]);
    expect(read(dir, 's')).toBe('2');
  });
});
