import { spawnSync } from 'node:child_process';
import { linkSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isYounger, readPidFile, START_TOLERANCE_MS } from '../../src/process/pid-file.ts';
import { ATTACKER, attackerMissing, giveToAttacker } from '../deliver/attacker.helpers.ts';
import { useScratch } from '../deliver/file/file-sink.helpers.ts';
import { useChildren } from './children.helpers.ts';

const scratch = useScratch();
const children = useChildren();
const linux = process.platform === 'linux';
const SET_USER = `import os, time; os.setgid(${ATTACKER}); os.setuid(${ATTACKER})`;
const NAP = 'time.sleep(30)';
const SLEEP = ['sh', '-c', 'echo ready; sleep 30'] as const;

async function codeOf(path: string): Promise<string | number> {
  const found = await readPidFile(path, 'outputs.shop.reload[0].signal');
  return 'failure' in found ? found.failure.code : found.pid;
}

function pidFile(text: string): string {
  const path = join(scratch(), 'app.pid');
  writeFileSync(path, text);
  return path;
}

describe('a pid file', () => {
  it.each<[string, (pid: number) => string]>([
    ['the number', (pid) => `${pid}`],
    ['the number and a newline', (pid) => `${pid}\n`],
    ['white space around it', (pid) => ` \t${pid} \r\n\n`],
    ['leading zeros', (pid) => `000${pid}`],
  ])('names a process: %s', async (_, text) => {
    const { pid } = await children.start(...SLEEP);
    expect(await codeOf(pidFile(text(pid)))).toBe(pid);
  });

  it.each<[string, string]>([
    ['', 'RELOAD_PID_FILE'],
    [' \n', 'RELOAD_PID_FILE'],
    ['nginx', 'RELOAD_PID_FILE'],
    ['12 13', 'RELOAD_PID_FILE'],
    ['12\n13\n', 'RELOAD_PID_FILE'],
    ['1e3', 'RELOAD_PID_FILE'],
    ['0x10', 'RELOAD_PID_FILE'],
    ['+12', 'RELOAD_PID_FILE'],
    ['12.0', 'RELOAD_PID_FILE'],
    ['12abc', 'RELOAD_PID_FILE'],
    ['１２', 'RELOAD_PID_FILE'],
    ['99999999999', 'RELOAD_PID_FILE'],
    [`12${' '.repeat(1000)}`, 'RELOAD_PID_FILE'],
    ['1', 'RELOAD_PID_REFUSED'],
    ['0', 'RELOAD_PID_REFUSED'],
    ['-1', 'RELOAD_PID_REFUSED'],
    ['-4711', 'RELOAD_PID_REFUSED'],
    [String(process.pid), 'RELOAD_PID_REFUSED'],
    ['2147483647', 'RELOAD_NO_PROCESS'],
  ])('that holds %j is %s', async (text, code) => {
    expect(await codeOf(pidFile(text))).toBe(code);
  });

  it('that is missing, a directory or a FIFO is RELOAD_PID_FILE, at once', async () => {
    const dir = scratch();
    mkdirSync(join(dir, 'folder'));
    spawnSync('mkfifo', [join(dir, 'fifo')]);
    for (const name of ['missing', 'folder', 'fifo']) expect(await codeOf(join(dir, name))).toBe('RELOAD_PID_FILE');
    const found = await readPidFile(join(dir, 'fifo'), 'here');
    expect(JSON.stringify(found)).toContain('is not a regular file');
  });

  it('may be reached through a symlink', async () => {
    const { pid } = await children.start(...SLEEP);
    const path = pidFile(`${pid}`);
    symlinkSync(path, `${path}.link`);
    expect(await codeOf(`${path}.link`)).toBe(pid);
  });

  it('is read anew each time', async () => {
    const path = pidFile('1');
    expect(await codeOf(path)).toBe('RELOAD_PID_REFUSED');
    const { pid } = await children.start(...SLEEP);
    writeFileSync(path, `${pid}`);
    expect(await codeOf(path)).toBe(pid);
  });

  it('is not quoted when it holds no number', async () => {
    const found = await readPidFile(pidFile('hunter2'), 'here');
    expect(JSON.stringify(found)).not.toContain('hunter2');
  });
});

describe.skipIf(attackerMissing !== undefined)('a pid file of another user', () => {
  /** A process of that user that was started as root: the owner of its folder in /proc stays root. */
  const startOther = async () =>
    await children.start('python3', '-c', `${SET_USER}; print("ready", flush=True); ${NAP}`);

  it('is trusted when it names a process of that user', async () => {
    const { pid } = await startOther();
    const path = pidFile(`${pid}`);
    giveToAttacker(path);
    expect(await codeOf(path)).toBe(pid);
  });

  it('is RELOAD_PID_REFUSED when it names a process of root', async () => {
    const { pid } = await children.start(...SLEEP);
    const path = pidFile(`${pid}`);
    giveToAttacker(path);
    const found = await readPidFile(path, 'here');
    expect(found).toMatchObject({
      failure: {
        code: 'RELOAD_PID_REFUSED',
        seen: `${path} belongs to user ${ATTACKER}, and process ${pid} to user 0`,
      },
    });
  });

  it('may not be a symlink, or a second name, in a directory of that user', async () => {
    const { pid } = await children.start(...SLEEP);
    const target = pidFile(`${pid}`);
    const dir = join(dirname(target), 'run');
    mkdirSync(dir);
    symlinkSync(target, join(dir, 'symlink'));
    linkSync(target, join(dir, 'second'));
    giveToAttacker(dir);
    for (const name of ['symlink', 'second']) expect(await codeOf(join(dir, name))).toBe('RELOAD_PID_FILE');
  });

  it('names any process when root wrote it', async () => {
    const { pid } = await startOther();
    expect(await codeOf(pidFile(`${pid}`))).toBe(pid);
  });
});

describe('a reused pid', () => {
  const boot = 1_700_000_000;
  it.each<[string, number, boolean]>([
    ['long before the file', -3_600_000, false],
    ['just before the file', -10, false],
    ['with the file', 0, false],
    ['within the tolerance', START_TOLERANCE_MS, false],
    ['beyond the tolerance', START_TOLERANCE_MS + 10, true],
    ['an hour after the file', 3_600_000, true],
  ])('a process that started %s (%d ms): younger is %s', (_, afterMs, younger) => {
    expect(isYounger((5_000_000 + afterMs) / 10, boot, boot * 1000 + 5_000_000)).toBe(younger);
  });

  it.runIf(linux)('is refused when the file was written before the process started', async () => {
    const { pid } = await children.start(...SLEEP);
    const path = pidFile(`${pid}`);
    const before = new Date(Date.now() - 60_000);
    utimesSync(path, before, before);
    expect(await codeOf(path)).toBe('RELOAD_PID_REUSED');
  });

  it('is not assumed when the file was written long after the process started', async () => {
    const { pid } = await children.start(...SLEEP);
    const path = pidFile(`${pid}`);
    const later = new Date(Date.now() + 3_600_000);
    utimesSync(path, later, later);
    expect(await codeOf(path)).toBe(pid);
  });
});

it.runIf(linux)('a zombie is RELOAD_NO_PROCESS: it would take the signal and do nothing', async () => {
  // The shell becomes a sleep, which never reaps the child of the shell.
  const { line } = await children.start('sh', '-c', 'sleep 0 & echo $!; exec sleep 30');
  const path = pidFile(line);
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(await codeOf(path)).toBe('RELOAD_NO_PROCESS');
});
