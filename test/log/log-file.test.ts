import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  constants,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LogFile } from '../../src/log/log-file.ts';
import { giveToAttacker } from '../deliver/attacker.helpers.ts';
import { isRoot, useScratch } from '../deliver/file/file-sink.helpers.ts';

const scratch = useScratch();

async function logTo(path: string): Promise<string> {
  try {
    using file = await LogFile.open(path);
    file.write('line\n');
    return 'written';
  } catch (error) {
    return (error as Error).message;
  }
}

describe('a log file', () => {
  it('is made private, and appended to', async () => {
    const path = join(scratch(), 'a.log');
    expect([await logTo(path), await logTo(path)]).toEqual(['written', 'written']);
    expect([readFileSync(path, 'utf8'), lstatSync(path).mode & 0o777]).toEqual(['line\nline\n', 0o600]);
  });

  it('may be a symlink in a directory that nobody else may write, and a link of the kernel', async () => {
    const dir = scratch();
    mkdirSync(join(dir, 'real'));
    symlinkSync('real/a.log', join(dir, 'a.log'));
    const open = openSync(join(dir, 'open.log'), 'w');
    symlinkSync(`/proc/self/fd/${open}`, join(dir, 'stderr'));
    expect(await logTo(join(dir, 'a.log'))).toBe('written');
    expect(readFileSync(join(dir, 'real/a.log'), 'utf8')).toBe('line\n');
    rmSync(join(dir, 'open.log')); // its text leads nowhere now
    expect(await logTo(join(dir, 'stderr'))).toBe('written');
    closeSync(open);
  });

  it('that is a FIFO without a reader is an error, at once', async () => {
    const path = join(scratch(), 'fifo');
    spawnSync('mkfifo', [path]);
    expect(await logTo(path)).toContain('cannot be written (ENXIO)');
  });

  it('that took a part of a line, as a disk that gets full does, loses that line and not the next one', async () => {
    const path = join(scratch(), 'fifo');
    spawnSync('mkfifo', [path]);
    const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    using file = await LogFile.open(path);
    file.write('first\n');
    const long = `${'x'.repeat(1024 * 1024)}\n`;
    expect(() => file.write(long)).toThrow('cannot be written (EAGAIN)');
    const read = Buffer.alloc(2 * 1024 * 1024);
    const taken = readSync(reader, read);
    expect(taken).toBeLessThan(long.length);
    file.write('next\n');
    file.write('last\n');
    const rest = read.subarray(0, readSync(reader, read)).toString();
    expect(rest).toBe('\nnext\nlast\n');
    closeSync(reader);
  });

  it.runIf(isRoot)(
    'is never a link that another user can exchange: symlinks, second names, and on the way',
    async () => {
      const dir = scratch();
      mkdirSync(join(dir, 'app'));
      mkdirSync(join(dir, 'sticky'));
      chmodSync(join(dir, 'sticky'), 0o1777);
      const victim = join(dir, 'victim');
      writeFileSync(victim, 'theirs\n');
      symlinkSync('../victim', join(dir, 'app/symlink'));
      symlinkSync('../missing', join(dir, 'app/dangling'));
      linkSync(victim, join(dir, 'app/second'));
      symlinkSync('..', join(dir, 'app/up'));
      linkSync(victim, join(dir, 'sticky/second'));
      giveToAttacker(join(dir, 'app'));
      for (const name of ['app/symlink', 'app/dangling', 'app/second', 'app/up/victim', 'sticky/second']) {
        expect(await logTo(join(dir, name)), name).toContain('is a link that another user can exchange (LOG_FILE)');
      }
      expect(readFileSync(victim, 'utf8')).toBe('theirs\n');
      expect(await logTo(join(dir, 'app/a.log'))).toBe('written');
    },
  );
});
