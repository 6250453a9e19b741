import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeFolders } from '../../src/base/make-folders.ts';

describe('folders above a file', () => {
  it('are made, and may be there already', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'pannier-folders-'));
    try {
      await makeFolders(join(dir, 'a', 'b', 'c'));
      await makeFolders(join(dir, 'a', 'b', 'c'));
      expect((await stat(join(dir, 'a', 'b', 'c'))).isDirectory()).toBe(true);
      await writeFile(join(dir, 'file'), '');
      await expect(makeFolders(join(dir, 'file'))).rejects.toMatchObject({ code: 'ENOTDIR' });
      await expect(makeFolders(join(dir, 'file', 'x'))).rejects.toMatchObject({ code: 'ENOTDIR' });
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  });

  it.skipIf(process.platform !== 'linux')('end with an error where the kernel has no such place', async () => {
    await expect(makeFolders('/proc/pannier/x')).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
