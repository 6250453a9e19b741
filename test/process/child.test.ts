import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { type ChildOptions, exitStatusOfChild, startChild } from '../../src/process/child.ts';
import { isGroupLeft } from '../../src/process/group.ts';
import { readProcStat } from '../../src/process/proc-stat.ts';
import { useScratch } from '../deliver/file/file-sink.helpers.ts';
import { expectNoLeaks } from '../faults/leaks.ts';
import { eventually, fileAppears, isAlive, useChildren } from './children.helpers.ts';

const scratch = useScratch();
const children = useChildren();
expectNoLeaks();
const env = { PATH: '/usr/bin:/bin' };
const LOOP = 'while :; do sleep 0.05; done';

function start(script: string, more: Partial<ChildOptions> = {}) {
  const child = startChild({ argv: ['sh', '-c', script], env, stdio: 'ignore', ownGroup: true, ...more }, systemClock);
  children.keep(child.pid);
  return child;
}

const pidIn = (path: string): number => Number(readFileSync(path, 'utf8'));

describe('a child', () => {
  it.each<[string, number]>([
    ['exit 0', 0],
    ['exit 3', 3],
    ['kill -TERM $$', 143],
    ['kill -KILL $$', 137],
  ])('that runs %j gives the status %i', async (script, status) => {
    expect(exitStatusOfChild(await start(script).ended)).toBe(status);
  });

  it.each<[string, string, number]>([
    ['is not there', '/nowhere/to/be/found', 127],
    ['is not on PATH', 'surely-no-such-program', 127],
    ['is a directory', '/', 126],
  ])('whose program %s gives a status as shells do', async (_title, program, status) => {
    const child = startChild({ argv: [program], env, stdio: 'ignore', ownGroup: true }, systemClock);
    expect([child.pid, exitStatusOfChild(await child.ended)]).toEqual([undefined, status]);
    expect([child.signal('SIGTERM'), child.signalAll('SIGTERM'), await child.isLeft()]).toEqual([
      'gone',
      'gone',
      false,
    ]);
    await child.goneWithin(60_000);
  });

  it.runIf(process.platform === 'linux')("leads a process group of its own, or stays in the agent's", async () => {
    const [own, shared] = [start(LOOP), start(LOOP, { ownGroup: false })];
    const groups = await Promise.all(
      [own.pid, shared.pid, process.pid].map(async (pid) => (await readProcStat(pid ?? 0))?.group),
    );
    expect(groups[0]).toBe(own.pid);
    expect(groups[1]).toBe(groups[2]);
    for (const child of [own, shared]) {
      child.signalAll('SIGKILL');
      expect(await child.ended).toEqual({ kind: 'killed', signal: 'SIGKILL' });
    }
  });

  it('gets a signal alone, or with all that it started', async () => {
    const dir = scratch();
    const trap = (name: string) => `trap 'echo ${name} >> ${dir}/lines' USR1`;
    const child = start(
      `${trap('child')}; sh -c "${trap('below').replaceAll('"', '')}; touch ${dir}/ready; ${LOOP}" & ${LOOP}`,
    );
    await fileAppears(join(dir, 'ready'));
    const lines = () =>
      existsSync(join(dir, 'lines')) ? readFileSync(join(dir, 'lines'), 'utf8').trim().split('\n').sort() : [];
    expect(child.signal('SIGUSR1')).toBe('sent');
    await eventually(() => lines().length > 0);
    expect(lines()).toEqual(['child']);
    expect(child.signalAll('SIGUSR1')).toBe('sent');
    expect(await eventually(() => lines().length === 3)).toBe(true);
    expect(lines()).toEqual(['below', 'child', 'child']);
    child.signalAll('SIGKILL');
    await child.goneWithin(10_000);
  });

  it('that has ended gets no more signals, as its pid may belong to another process', async () => {
    const child = start('exit 0');
    await child.ended;
    expect(child.signal('SIGTERM')).toBe('gone');
  });

  it('leaves no zombie', async () => {
    const child = start('exit 0');
    await child.ended;
    expect(await readProcStat(child.pid ?? 0)).toBeUndefined();
  });

  it('that stops when it is asked to is gone with all that it started, without SIGKILL', async () => {
    const dir = scratch();
    const child = start(`sleep 60 & echo $! > ${dir}/pid; trap 'kill $!; exit 4' TERM; wait`);
    await fileAppears(join(dir, 'pid'));
    await eventually(() => pidIn(join(dir, 'pid')) > 0);
    let killed = false;
    child.signalAll('SIGTERM');
    await child.goneWithin(20_000, () => {
      killed = true;
    });
    expect([killed, exitStatusOfChild(await child.ended)]).toEqual([false, 4]);
    expect(await isGroupLeft(child.pid ?? 0)).toBe(false);
  });

  it('gets SIGKILL after the grace, and so does all that it started', async () => {
    const dir = scratch();
    const child = start(`trap '' TERM; sh -c 'echo $$ > ${dir}/pid; ${LOOP}' & ${LOOP}`);
    await fileAppears(join(dir, 'pid'));
    let killed = 0;
    child.signalAll('SIGTERM');
    const killing = () => {
      killed++;
    };
    await Promise.all([child.goneWithin(200, killing), child.goneWithin(200, killing)]);
    expect([killed, await child.ended]).toEqual([1, { kind: 'killed', signal: 'SIGKILL' }]);
    expect(await isGroupLeft(child.pid ?? 0)).toBe(false);
  });

  it('that has ended is left as long as a process of its group runs', async () => {
    const dir = scratch();
    const child = start(
      `sh -c 'trap "" TERM; echo $$ > ${dir}/pid; ${LOOP}' & while ! [ -s ${dir}/pid ]; do sleep 0.01; done`,
    );
    await child.ended;
    expect([await child.isLeft(), isAlive(pidIn(join(dir, 'pid')))]).toEqual([true, true]);
    child.signalAll('SIGTERM');
    await child.goneWithin(100);
    expect(await child.isLeft()).toBe(false);
  });

  it.runIf(process.platform === 'linux')('a zombie that is never reaped is not waited for', async () => {
    const dir = scratch();
    // The middle process leaves the group and never reaps its child.
    const middle = `import os, sys, time
if os.fork() == 0:
    os._exit(0)
os.setsid()
open("${dir}/pid", "w").write(str(os.getpid()))
time.sleep(60)`;
    const child = start(`python3 -c '${middle}' & while ! [ -s ${dir}/pid ]; do sleep 0.01; done`);
    await child.ended;
    const zombies = pidIn(join(dir, 'pid'));
    expect(() => process.kill(-(child.pid ?? 0), 0)).not.toThrow();
    expect(await child.isLeft()).toBe(false);
    process.kill(zombies, 'SIGKILL');
  });
});
