import { writeFileSync } from 'node:fs';
import { appendFile, chmod, copyFile, mkdir, mkdtemp, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { FileTail, MAX_LINE_BYTES } from '../../src/feed/file-tail.ts';

let dir: string;
let path: string;
let heard: string[];
let tail: FileTail | undefined;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'pannier-tail-'));
  path = join(dir, 'audit.log');
  heard = [];
});
afterEach(async () => {
  await tail?.[Symbol.asyncDispose]();
  tail = undefined;
  await rm(dir, { recursive: true, force: true });
});

/** Follows the file, and resolves when it was looked at first. */
async function follow(): Promise<FileTail> {
  const told = Promise.withResolvers<void>();
  tail = new FileTail(path, systemClock, {
    line: (text) => heard.push(text.length > 100 ? `${text.length} characters` : text),
    gap: () => heard.push('gap'),
    read: (why) => {
      heard.push(why ?? 'read');
      told.resolve();
    },
  });
  await told.promise;
  return tail;
}

/** Waits until all that was told is `expected`. */
const hears = (...expected: string[]) => expect.poll(() => heard, { timeout: 10_000 }).toEqual(expected);

describe('FileTail', () => {
  it('tells the lines that come, and none that were there', async () => {
    await writeFile(path, 'old\n');
    await follow();
    await appendFile(path, 'a\nb\n');
    await hears('read', 'a', 'b');
  });

  it('tells a line when its end has come, however it is cut', async () => {
    await writeFile(path, '');
    await follow();
    await appendFile(path, 'ha');
    await appendFile(path, 'lf\nne');
    await hears('read', 'half');
    await appendFile(path, 'xt\n');
    await hears('read', 'half', 'next');
  });

  it('does not tell the rest of a line that began before', async () => {
    await writeFile(path, 'old\nha');
    await follow();
    await appendFile(path, 'lf\na\n');
    await hears('read', 'a');
  });

  it('reads a file that comes later from its beginning on, and says what is missing until then', async () => {
    await follow();
    await hears('does not exist');
    await writeFile(path, 'a\n');
    await expect.poll(() => heard, { timeout: 10_000 }).toContain('read');
    await appendFile(path, 'b\n');
    await expect.poll(() => heard, { timeout: 10_000 }).toContain('b');
  });

  it('goes on over a rotation by rename, before and after the server has opened the new file', async () => {
    await writeFile(path, '');
    await follow();
    await rename(path, `${path}.1`);
    await appendFile(`${path}.1`, 'before\n');
    await hears('read', 'before');
    await writeFile(path, 'the new one\n'); // `create` of logrotate makes it before the server knows of it
    await hears('read', 'before', 'the new one');
    await appendFile(`${path}.1`, 'still the old one\n');
    await hears('read', 'before', 'the new one', 'still the old one');
    await appendFile(path, 'more\n');
    await hears('read', 'before', 'the new one', 'still the old one', 'more');
  });

  it('tells of a gap after a copy and a cut, and reads on', async () => {
    await writeFile(path, '');
    await follow();
    await appendFile(path, 'a\n');
    await hears('read', 'a');
    await copyFile(path, `${path}.1`);
    await truncate(path, 0);
    await hears('read', 'a', 'gap');
    await appendFile(path, 'b\n');
    await hears('read', 'a', 'gap', 'b');
  });

  it('finds out that a file was cut although it is as long as before', async () => {
    await writeFile(path, 'old line\n');
    await follow();
    writeFileSync(path, 'new line\nmore\n'); // nothing can look in between
    await hears('read', 'gap', 'new line', 'more');
  });

  it('tells lines of a mebibyte and more, and a gap for one that is too long', async () => {
    await writeFile(path, '');
    await follow();
    await appendFile(path, `${'x'.repeat(2 ** 20 + 7)}\n`);
    await hears('read', `${2 ** 20 + 7} characters`);
    await appendFile(path, `${'x'.repeat(MAX_LINE_BYTES + 1)}\nnext\n`);
    await hears('read', `${2 ** 20 + 7} characters`, 'gap', 'next');
  });

  it('says that a folder is no file', async () => {
    await mkdir(path);
    await follow();
    await hears('is not a file');
  });

  it('names a file that it may not read', async () => {
    await writeFile(path, '');
    await chmod(path, 0o000);
    await chmod(dir, 0o755);
    const before = process.geteuid?.() ?? 0;
    // Root may read each file.
    if (before === 0) process.seteuid?.(65_534);
    try {
      await follow();
      await hears('may not be read by this user');
    } finally {
      if (before === 0) process.seteuid?.(before);
    }
  });
});
