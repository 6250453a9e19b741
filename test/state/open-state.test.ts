import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { encodeContents } from '../../src/state/contents.ts';
import { openState } from '../../src/state/open-state.ts';
import { seal } from '../../src/state/seal.ts';
import { createStateFolder } from '../../src/state/state-file.ts';

const ENV = { PANNIER_STATE_KEY: 'k'.repeat(32) };
const dirs: string[] = [];
afterEach(async () => {
  for (const dir of dirs.splice(0)) await rm(dir, { recursive: true, force: true });
});

describe('what is in the place of a state', () => {
  it.each<[string, (path: string) => void, string]>([
    ['a symbolic link', (path) => symlinkSync('/etc/passwd', path), 'is a symbolic link'],
    ['a FIFO', (path) => void execFileSync('mkfifo', [path]), 'is no file'],
    ['a directory', (path) => void mkdirSync(path), 'is no file'],
    [
      'a file that others may write',
      (path) => {
        writeFileSync(path, 'x');
        chmodSync(path, 0o666);
      },
      'can be written by other users',
    ],
    [
      'a file that is too large',
      (path) => {
        writeFileSync(path, '');
        truncateSync(path, 33 * 2 ** 20);
      },
      'the limit is 32 MiB',
    ],
  ])('%s is told, set aside, and replaced by a state', async (_, make, seen) => {
    const dir = await mkdtemp('/tmp/pannier-test-');
    dirs.push(dir);
    const key = { from: 'env', name: 'PANNIER_STATE_KEY' } as const;
    const config = { path: join(dir, 'state'), key, maxAgeMs: 1, place: 'state' };
    const folder = createStateFolder(config.path, 'state');
    mkdirSync(config.path, { mode: 0o700 });
    make(join(config.path, 'state'));
    const opened = await openState(config, folder, ENV);
    expect(opened).toMatchObject({ setAside: true, contents: { savedWallMs: 0 } });
    expect(opened.warning).toMatchObject({ code: 'STATE_UNREADABLE', seen: expect.stringContaining(seen) });
    const contents = { savedWallMs: 5, secrets: [], logins: [] };
    await folder.write(seal(encodeContents(contents), opened.key), opened);
    expect(existsSync(join(config.path, 'refused'))).toBe(true);
    expect(await openState(config, folder, ENV)).toMatchObject({ setAside: false, contents });
  });

  it('a symbolic link in the place of the directory is refused, with what to do', async () => {
    const dir = await mkdtemp('/tmp/pannier-test-');
    dirs.push(dir);
    symlinkSync(dir, join(dir, 'state'));
    const folder = createStateFolder(join(dir, 'state'), 'state');
    const failure = { code: 'STATE_UNREADABLE', hint: expect.stringContaining('is a symbolic link') };
    await expect(folder.read()).rejects.toMatchObject({ failure });
  });
});
