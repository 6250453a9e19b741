import { chmod, mkdtemp, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fileStamp } from '../../src/base/file-stamp.ts';

let dir: string;
let path: string;
const stampNow = async () => fileStamp(await stat(path));

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'pannier-stamp-'));
  path = join(dir, 'file');
  await writeFile(path, 'one');
});
afterEach(() => rm(dir, { recursive: true }));

describe('the stamp of a file', () => {
  it('stays while nothing happens to the file', async () => {
    expect(await stampNow()).toBe(await stampNow());
  });

  it('differs when another file is at the path, also one of the same size and time', async () => {
    const { atime, mtime } = await stat(path);
    const before = await stampNow();
    await writeFile(`${path}.new`, 'two');
    await utimes(`${path}.new`, atime, mtime);
    await rename(`${path}.new`, path);
    expect(await stampNow()).not.toBe(before);
  });

  it('differs when only the permissions changed', async () => {
    const before = await stampNow();
    await new Promise((resolve) => setTimeout(resolve, 20));
    await chmod(path, 0o600);
    expect(await stampNow()).not.toBe(before);
  });

  it('is "none" for a file that is not there', () => {
    expect(fileStamp(undefined)).toBe('none');
  });
});
