import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { GRACE_MS, runCommand } from '../../src/process/command.ts';
import { useScratch } from '../deliver/file/file-sink.helpers.ts';
import { expectNoLeaks } from '../faults/leaks.ts';
import { eventually, fileAppears, isAlive } from './children.helpers.ts';

const scratch = useScratch();
expectNoLeaks();
const env = { PATH: '/usr/bin:/bin' };
const never = new AbortController().signal;
const sh = (script: string, timeoutMs = 20_000, signal = never) =>
  runCommand({ argv: ['sh', '-c', script], env, timeoutMs }, signal);

const pidIn = (path: string): number => Number(readFileSync(path, 'utf8'));

describe('the outcome of a command', () => {
  it.each<[string, object]>([
    ['exit 0', { kind: 'ended', status: 0 }],
    ['exit 3', { kind: 'ended', status: 3 }],
    ['exit 255', { kind: 'ended', status: 255 }],
    ['kill -SEGV $$', { kind: 'killed', signal: 'SIGSEGV' }],
    ['kill -TERM $$', { kind: 'killed', signal: 'SIGTERM' }],
  ])('%s', async (script, outcome) => {
    expect(await sh(script)).toEqual(outcome);
  });

  it.each<[string, (dir: string) => string[], string]>([
    ['a program that is not there', () => ['/nowhere/to/be/found'], 'ENOENT'],
    ['a name not on PATH', () => ['surely-no-such-program'], 'ENOENT'],
    ['a file that is not executable', (dir) => [write(join(dir, 'plain'), '#!/bin/sh\n', 0o644)], 'EACCES'],
    ['a directory', (dir) => [dir], 'EACCES'],
    ['an argument with a NUL', () => ['sh', '-c', 'secret\0value'], 'unknown'],
    ['an empty name', () => [''], 'unknown'],
    ['arguments beyond the limit of the system', () => ['sh', '-c', 'x'.repeat(4_000_000)], 'E2BIG'],
  ])('not started: %s', async (_, argv, errno) => {
    const outcome = await runCommand({ argv: argv(scratch()), env, timeoutMs: 5000 }, never);
    expect(outcome).toEqual({ kind: 'not-started', errno });
  });

  it('a command with a NUL in a variable is not started, and the variable is not shown', async () => {
    const outcome = await runCommand({ argv: ['true'], env: { X: 'secret\0value' }, timeoutMs: 5000 }, never);
    expect(outcome).toEqual({ kind: 'not-started', errno: 'unknown' });
  });
});

describe('streams', () => {
  it('any amount of output is discarded', async () => {
    expect(await sh('head -c 20000000 /dev/zero; head -c 20000000 /dev/zero >&2')).toEqual({
      kind: 'ended',
      status: 0,
    });
  });

  it('standard input is empty', async () => {
    expect(await sh('cat')).toEqual({ kind: 'ended', status: 0 });
  });

  it('a background process that keeps the output open does not delay the outcome, and goes on', async () => {
    const pid = join(scratch(), 'pid');
    expect(await sh(`sleep 30 & echo $! > ${pid}`)).toEqual({ kind: 'ended', status: 0 });
    expect(isAlive(pidIn(pid))).toBe(true);
    process.kill(pidIn(pid), 'SIGKILL');
  });
});

describe('the time limit', () => {
  it('ends the whole group with SIGTERM', async () => {
    const dir = scratch();
    const script = `trap 'echo term > ${dir}/term; exit 1' TERM; sleep 30 & echo $! > ${dir}/pid; wait`;
    expect(await sh(script, 300)).toEqual({ kind: 'timeout' });
    expect(existsSync(join(dir, 'term'))).toBe(true);
    expect(await eventually(() => !isAlive(pidIn(join(dir, 'pid'))))).toBe(true);
  });

  it('SIGKILL follows after two seconds for a group that ignores SIGTERM', async () => {
    const dir = scratch();
    const began = performance.now();
    const script = `trap '' TERM; sh -c 'echo $$ > ${dir}/pid; while :; do sleep 0.1; done' & while :; do sleep 0.1; done`;
    expect(await sh(script, 300)).toEqual({ kind: 'timeout' });
    expect(performance.now() - began).toBeGreaterThan(300 + GRACE_MS - 50);
    expect(await eventually(() => !isAlive(pidIn(join(dir, 'pid'))))).toBe(true);
  });

  it('a member that outlives its leader gets the grace, and then SIGKILL', async () => {
    const dir = scratch();
    const script = `sh -c 'trap "" TERM; echo $$ > ${dir}/pid; while :; do sleep 0.1; done' & wait`;
    expect(await sh(script, 300)).toEqual({ kind: 'timeout' });
    expect(await eventually(() => !isAlive(pidIn(join(dir, 'pid'))))).toBe(true);
  });

  it('an abort ends the group in the same way', async () => {
    const dir = scratch();
    const stop = new AbortController();
    const running = sh(`sleep 30 & echo $! > ${dir}/pid; wait`, 20_000, stop.signal);
    await fileAppears(join(dir, 'pid'));
    stop.abort();
    expect(await running).toEqual({ kind: 'aborted' });
    expect(await eventually(() => !isAlive(pidIn(join(dir, 'pid'))))).toBe(true);
  });

  it('nothing is started after an abort', async () => {
    const made = join(scratch(), 'made');
    expect(await sh(`touch ${made}`, 20_000, AbortSignal.abort())).toEqual({ kind: 'aborted' });
    expect(existsSync(made)).toBe(false);
  });

  it("a command that signals its own group does not signal the agent's", async () => {
    expect(await sh('kill -TERM 0; sleep 5', 5000)).toEqual({ kind: 'killed', signal: 'SIGTERM' });
  });
});

function write(path: string, text: string, mode: number): string {
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}
