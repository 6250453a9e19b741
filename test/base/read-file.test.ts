import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { FILE_CALL_MS } from '../../src/base/file-call.ts';
import { readFileInTime, statInTime } from '../../src/base/read-file.ts';
import { useScratch } from '../deliver/file/file-sink.helpers.ts';
import { hangMissing, letHang } from '../fixtures/hanging-files.ts';

const scratch = useScratch();
const LIMIT = { maxBytes: 100 };

async function codeOf(call: Promise<unknown>): Promise<string> {
  return await call.then(
    () => 'read',
    (error: unknown) => String((error as { code?: unknown }).code),
  );
}

function fileIn(dir: string, name: string, text: string): string {
  const path = join(dir, name);
  writeFileSync(path, text);
  return path;
}

describe('a file that another user can replace', () => {
  it('is read up to a limit, with the stats from before', async () => {
    const dir = scratch();
    const { bytes, stats } = await readFileInTime(fileIn(dir, 'a', 'x'.repeat(100)), LIMIT);
    expect([bytes.toString(), stats.size]).toEqual(['x'.repeat(100), 100]);
    expect((await readFileInTime(fileIn(dir, 'empty', ''), LIMIT)).bytes).toHaveLength(0);
    expect(await codeOf(readFileInTime(fileIn(dir, 'b', 'x'.repeat(101)), LIMIT))).toBe('EFBIG');
    const status = await readFileInTime('/proc/self/status', { maxBytes: 100_000 });
    expect(status.bytes.toString()).toContain('Pid:');
  });

  it('is not waited for when it is a FIFO, a device or a directory', async () => {
    const dir = scratch();
    spawnSync('mkfifo', [join(dir, 'fifo')]);
    mkdirSync(join(dir, 'folder'));
    expect(await codeOf(readFileInTime(join(dir, 'fifo'), LIMIT))).toBe('EFTYPE');
    expect(await codeOf(readFileInTime('/dev/zero', LIMIT))).toBe('EFTYPE');
    expect(await codeOf(readFileInTime(join(dir, 'folder'), LIMIT))).toBe('EISDIR');
    expect(await codeOf(readFileInTime(join(dir, 'missing'), LIMIT))).toBe('ENOENT');
  });

  it('may be a pipe where pipes are allowed, which keeps no thread while it is empty', async () => {
    const dir = scratch();
    const options = { maxBytes: 300_000, pipes: true };
    spawnSync('mkfifo', [join(dir, 'fifo')]);
    const reading = readFileInTime(join(dir, 'fifo'), options);
    spawn('sh', ['-c', `sleep 0.3; exec > ${join(dir, 'fifo')}; echo one; sleep 0.1; head -c 200000 /dev/zero`]);
    expect((await reading).bytes).toHaveLength(200_004);
    expect((await readFileInTime('/dev/null', options)).bytes).toHaveLength(0);
    expect(await codeOf(readFileInTime('/dev/zero', options))).toBe('EFBIG');
    const abort = new AbortController();
    const waiting = codeOf(readFileInTime(join(dir, 'fifo'), { ...options, signal: abort.signal }));
    setTimeout(() => abort.abort(Object.assign(new Error('enough'), { code: 'over' })), 50);
    expect(await waiting).toBe('over');
  });
});

describe.skipIf(hangMissing !== undefined)('on a file system that hangs', () => {
  it('a read ends in time, the same path is not asked again, and others are read', async () => {
    const dir = scratch();
    const good = fileIn(dir, 'good', 'good');
    const paths = ['a', 'b', 'c', 'd'].map((name) => fileIn(dir, name, name));
    await using hanging = await letHang(...paths);
    const [a, b, ...rest] = paths as [string, string, string, string];
    const abort = new AbortController();
    const first = [codeOf(readFileInTime(a, LIMIT)), codeOf(readFileInTime(b, { ...LIMIT, signal: abort.signal }))];
    let isGivenUp = false;
    void first[0]?.then(() => {
      isGivenUp = true;
    });
    setTimeout(() => abort.abort(Object.assign(new Error('enough'), { code: 'over' })), 50);
    expect((await readFileInTime(good, LIMIT)).bytes.toString()).toBe('good');
    expect(isGivenUp).toBe(false);
    expect(await Promise.all(first)).toEqual(['ETIMEDOUT', 'over']);

    await sleep(100);
    const againMs = performance.now();
    expect([await codeOf(readFileInTime(a, LIMIT)), await codeOf(statInTime(b))]).toEqual(['ETIMEDOUT', 'ETIMEDOUT']);
    expect(performance.now() - againMs).toBeLessThan(FILE_CALL_MS);

    // Three calls hang: one thread is left for the rest of the process, and no further read begins.
    expect(await Promise.all(rest.map((path) => codeOf(readFileInTime(path, LIMIT))))).toEqual([
      'ETIMEDOUT',
      'ETIMEDOUT',
    ]);
    expect(await codeOf(readFileInTime(good, LIMIT))).toBe('ETIMEDOUT');
    expect(await import('node:fs/promises').then(({ readFile }) => readFile(good, 'utf8'))).toBe('good');
    expect(readFileSync(good, 'utf8')).toBe('good');

    await hanging[Symbol.asyncDispose]();
    await sleep(200);
    expect(await Promise.all([a, b, ...rest, good].map((path) => codeOf(readFileInTime(path, LIMIT))))).toEqual(
      Array.from({ length: 5 }, () => 'read'),
    );
  }, 20_000);
});
