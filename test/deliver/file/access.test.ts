import { chmodSync, chownSync, mkdirSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  bytesOf,
  isRoot,
  listTree,
  openSink,
  othersCanRun,
  outputIn,
  publish,
  read,
  runProgram,
  useScratch,
} from './file-sink.helpers.ts';

const scratch = useScratch();
/** These tests start fixture programs as other users. */
const withOthers = othersCanRun();
const ownUid = process.geteuid?.() ?? 0;
const ownGid = process.getegid?.() ?? 0;

describe('modes', () => {
  it.each<[string, string, string]>([
    ['0400', '400', '700'],
    ['0600', '600', '700'],
    ['0440', '440', '750'],
    ['0640', '640', '750'],
    ['0444', '444', '755'],
    ['0404', '404', '705'],
    ['0000', '0', '700'],
  ])('files %s: the generation gets x wherever a file has r', async (mode, file, folder) => {
    const dir = scratch();
    const sink = await openSink(outputIn(dir, { mode: Number.parseInt(mode, 8) }));
    await publish(sink, { a: '1', 'b/c': '2' });
    expect(listTree(dir)).toEqual([
      '..data -> ..g1',
      `..g1/ ${folder}`,
      `..g1/a ${file}`,
      `..g1/b/ ${folder}`,
      `..g1/b/c ${file}`,
      'a -> ..data/a',
      'b -> ..data/b',
    ]);
  });

  it('are set before the swap', async () => {
    const dir = scratch();
    const sink = await openSink(outputIn(dir, { mode: 0o440, files: { open: { mode: 0o644 }, a: {} } }));
    const staged = await sink.stage(bytesOf({ a: '1', open: '2' }));
    expect(listTree(dir)).toEqual(['..g1/ 755', '..g1/a 440', '..g1/open 644']);
    if (typeof staged !== 'string') await staged.commit();
    expect(listTree(dir)).toEqual(
      expect.arrayContaining(['..data -> ..g1', '..g1/ 755', '..g1/a 440', '..g1/open 644']),
    );
  });

  it('a file with a mode of its own opens only the folders on its path', async () => {
    const dir = scratch();
    const sink = await openSink(outputIn(dir, { files: { 'open/ca.pem': { mode: 0o444 } } }));
    await publish(sink, { 'open/ca.pem': 'C', 'closed/key.pem': 'K' });
    const modes = ['..g1', '..g1/open', '..g1/open/ca.pem', '..g1/closed', '..g1/closed/key.pem'];
    expect(modes.map((name) => bits(dir, name))).toEqual(['755', '755', '444', '700', '400']);
  });

  it.each(['0', '022', '077'])('the umask %s changes nothing', (umask) => {
    const dir = join(scratch(), 'shop');
    const { files: _, ...output } = outputIn(dir, { mode: 0o640, dirMode: 0o751 });
    runProgram('publish-once.ts', { output, files: { a: '1', 'b/c': '2' } }, { umask });
    const modes = ['.', '..g1', '..g1/a', '..g1/b', '..g1/b/c', '..reloaded'];
    expect(modes.map((name) => bits(dir, name))).toEqual(['751', '750', '640', '750', '640', '600']);
  });
});

describe('the directory of an output', () => {
  it.each<[string, Parameters<typeof outputIn>[1], string]>([
    ['0700', {}, '700'],
    ['its dirMode', { dirMode: 0o755 }, '755'],
    ['0700 when a mode alone is wider', { mode: 0o444 }, '700'],
    ['0750 when a gid stands beside a group-readable mode', { mode: 0o440, gid: ownGid, files: { a: {} } }, '750'],
    ['0700 when a gid stands beside a private mode', { gid: ownGid, files: { a: {} } }, '700'],
    ['its dirMode, also beside a gid', { mode: 0o440, gid: ownGid, dirMode: 0o700, files: { a: {} } }, '700'],
    ['0750 for one file with a gid', { files: { a: { mode: 0o440, gid: ownGid }, b: {} } }, '750'],
    ['0711 for one file with a uid', { files: { a: { uid: ownUid }, b: {} } }, '711'],
  ])('is created %s', async (_, changes, mode) => {
    const dir = join(scratch(), 'not/yet/there');
    await openSink(outputIn(dir, changes));
    expect(bits(dir, '.')).toBe(mode);
  });

  it('is never chmodded when it exists', async () => {
    const dir = join(scratch(), 'shop');
    mkdirSync(dir, { mode: 0o755 });
    await publish(await openSink(outputIn(dir, { dirMode: 0o700 })), { a: '1' });
    expect(bits(dir, '.')).toBe('755');
  });

  it('may have symlinks among its parents, such as /var/run', async () => {
    const base = scratch();
    mkdirSync(join(base, 'run'));
    symlinkSync('run', join(base, 'var-run'));
    await publish(await openSink(outputIn(join(base, 'var-run/shop'))), { a: '1' });
    expect(read(base, 'run/shop/a')).toBe('1');
  });
});

describe.runIf(isRoot)('owners', () => {
  it('a file has the owner of its output, or its own; so do folders', async () => {
    const dir = join(scratch(), 'shop');
    const output = outputIn(dir, { uid: 1000, gid: 2000, files: { own: { uid: 1001, gid: 2001 }, a: {} } });
    await publish(await openSink(output), { a: '1', 'b/c': '2', own: '3' });
    const owners = ['.', '..g1', '..g1/a', '..g1/b', '..g1/b/c', '..g1/own'].map((name) => {
      const { uid, gid } = statSync(join(dir, name));
      return `${name} ${uid}:${gid}`;
    });
    expect(owners).toEqual([
      '. 1000:2000',
      '..g1 1000:2000',
      '..g1/a 1000:2000',
      '..g1/b 1000:2000',
      '..g1/b/c 1000:2000',
      '..g1/own 1001:2001',
    ]);
  });

  it('are set before the swap', async () => {
    const dir = join(scratch(), 'shop');
    const sink = await openSink(outputIn(dir, { uid: 1000, gid: 2000, files: { own: { uid: 1001 }, a: {} } }));
    expect(await sink.stage(bytesOf({ a: '1', own: '2' }))).not.toBe('equal');
    const owners = ['..g1', '..g1/a', '..g1/own'].map((name) => {
      const { uid, gid } = statSync(join(dir, name));
      return `${name} ${uid}:${gid}`;
    });
    expect(owners).toEqual(['..g1 1000:2000', '..g1/a 1000:2000', '..g1/own 1001:2000']);
  });

  it('without a gid, files get the group of a setgid directory, and an equal generation stays equal', async () => {
    const dir = join(scratch(), 'shop');
    mkdirSync(dir);
    chownSync(dir, 0, 2000);
    chmodSync(dir, 0o2770);
    const sink = await openSink(outputIn(dir, { mode: 0o440 }));
    await publish(sink, { a: '1', 'b/c': '2' });
    expect(['..g1', '..g1/a', '..g1/b/c'].map((name) => statSync(join(dir, name)).gid)).toEqual([2000, 2000, 2000]);
    expect(await sink.stage(bytesOf({ a: '1', 'b/c': '2' }))).toBe('equal');
  });
});

describe.runIf(withOthers)('readers', () => {
  const reads = (dir: string, uid: number, gid: number, ...names: string[]) =>
    runProgram(
      'read-files.ts',
      names.map((name) => join(dir, name)),
      { uid, gid },
    );

  it('an agent with uid 1000 and a reader with uid 2000 share a gid: the reader reads, others cannot', () => {
    const base = join(scratch(), 'volume');
    const dir = join(base, 'shop');
    mkdirSync(base, { mode: 0o777 });
    chownSync(base, 1000, 3000);
    const { files: _, ...output } = outputIn(dir, { mode: 0o440, gid: 3000, dirMode: 0o750 });
    const agent = { uid: 1000, gid: 3000 };
    expect(runProgram('publish-once.ts', { output, files: { a: 'one', 'b/c': 'two' } }, agent)).toEqual({
      done: { generation: 1, first: true },
    });
    expect(reads(dir, 2000, 3000, 'a', 'b/c')).toEqual(['one', 'two']);
    expect(reads(dir, 2000, 2000, 'a', 'b/c')).toEqual(['EACCES', 'EACCES']);
    expect(reads(dir, 1000, 1000, 'a')).toEqual(['one']);
  });

  it('the reader also reads in a directory that existed before and that every user may enter', () => {
    const dir = scratch();
    chownSync(dir, 1000, 1000);
    const { files: _, ...output } = outputIn(dir, { mode: 0o440 });
    runProgram('publish-once.ts', { output, files: { a: 'one' } }, { uid: 1000, gid: 3000 });
    expect(reads(dir, 2000, 3000, 'a')).toEqual(['one']);
    expect(reads(dir, 2000, 2000, 'a')).toEqual(['EACCES']);
  });

  it('the configured group reaches the files in a directory that Pannier made without a dirMode', async () => {
    const dir = join(scratch(), 'shop');
    await publish(await openSink(outputIn(dir, { mode: 0o440, gid: 3000, files: { a: {} } })), { a: 'one' });
    expect(reads(dir, 2000, 3000, 'a')).toEqual(['one']);
    expect(reads(dir, 2000, 2000, 'a')).toEqual(['EACCES']);
  });

  it('only its own owner or group can read a file', async () => {
    const dir = join(scratch(), 'shop');
    const output = outputIn(dir, {
      uid: 1000,
      gid: 3000,
      mode: 0o440,
      files: { shared: {}, uid: { uid: 2000, mode: 0o400 }, gid: { gid: 4000 } },
    });
    await publish(await openSink(output), { shared: 's', uid: 'u', gid: 'g' });
    const names = ['shared', 'uid', 'gid'];
    expect(reads(dir, 1000, 1000, ...names)).toEqual(['s', 'EACCES', 'g']);
    expect(reads(dir, 2000, 2000, ...names)).toEqual(['EACCES', 'u', 'EACCES']);
    expect(reads(dir, 2000, 3000, ...names)).toEqual(['s', 'u', 'EACCES']);
    expect(reads(dir, 5000, 4000, ...names)).toEqual(['EACCES', 'EACCES', 'g']);
    expect(reads(dir, 5000, 5000, ...names)).toEqual(['EACCES', 'EACCES', 'EACCES']);
  });

  it('an owner that the agent may not set is OUTPUT_OWNER, and nothing is left behind', () => {
    const dir = scratch();
    chownSync(dir, 1000, 1000);
    const { files: _, ...output } = outputIn(dir, { gid: 3000 });
    const agent = { uid: 1000, gid: 1000 };
    expect(runProgram('publish-once.ts', { output, files: { a: 'one' } }, agent)).toEqual({
      failed: 'OUTPUT_OWNER',
      seen: `cannot set the owner of ${dir}/..g1/a (EPERM)`,
    });
    expect(listTree(dir)).toEqual([]);
    const missing = { ...output, dir: join(dir, 'new') };
    expect(runProgram('publish-once.ts', { output: missing, files: { a: 'one' } }, agent)).toMatchObject({
      failed: 'OUTPUT_OWNER',
    });
    expect(listTree(dir)).toEqual([]);
  });

  it('a generation of another user that cannot be read is published again, and then counts as equal', async () => {
    const dir = scratch();
    chownSync(dir, 1000, 1000);
    await publish(await openSink(outputIn(dir)), { a: 'by root' });
    const { files: _, ...output } = outputIn(dir);
    const done = { generation: 2, first: false };
    expect(runProgram('publish-once.ts', { output, files: { a: 'mine' } }, { uid: 1000, gid: 1000 })).toEqual({ done });
    expect(reads(dir, 1000, 1000, 'a')).toEqual(['mine']);
  });
});

function bits(...path: readonly string[]): string {
  return (statSync(join(...path)).mode & 0o7777).toString(8);
}
