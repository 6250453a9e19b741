import { readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createReload } from '../../src/reload/create-reload.ts';
import { createSignalReload } from '../../src/reload/signal.ts';
import { othersCanRun, runProgram, useScratch } from '../deliver/file/file-sink.helpers.ts';
import { FakeClock } from '../fake-clock.ts';
import { expectNoLeaks } from '../faults/leaks.ts';
import { eventually, fileAppears, isAlive, useChildren } from '../process/children.helpers.ts';

const scratch = useScratch();
const children = useChildren();
expectNoLeaks();
const never = new AbortController().signal;
const place = 'outputs.shop.reload[0].signal';

function reloadBy(pidFile: string, name: NodeJS.Signals = 'SIGHUP') {
  return createReload({ kind: 'signal', name, pidFile, place }, { name: 'shop', dir: '/run/shop' }, {});
}

/** A child that adds a line to a file at each SIGHUP. */
async function startListener(dir: string) {
  const script = `trap 'echo hup >> ${dir}/signals' HUP; echo ready; while :; do sleep 0.02; done`;
  const { pid } = await children.start('sh', '-c', script);
  writeFileSync(join(dir, 'app.pid'), `${pid}\n`);
  return pid;
}

const signalsIn = (dir: string): string[] => readFileSync(join(dir, 'signals'), 'utf8').trim().split('\n');

describe('a reload by signal', () => {
  it('reaches the process that the pid file names', async () => {
    const dir = scratch();
    await startListener(dir);
    const reload = reloadBy(join(dir, 'app.pid'));
    expect([reload.kind, reload.place]).toEqual(['signal', place]);
    expect(await reload.run(7, never)).toBeUndefined();
    expect(await fileAppears(join(dir, 'signals'))).toBe(true);
    expect(signalsIn(dir)).toEqual(['hup']);
  });

  it('reaches the new process after a restart of the application', async () => {
    const dir = scratch();
    const reload = reloadBy(join(dir, 'app.pid'), 'SIGTERM');
    for (let restart = 0; restart < 3; restart++) {
      const { pid, child } = await children.start('sh', '-c', 'echo ready; sleep 30');
      writeFileSync(join(dir, 'app.pid'), `${pid}`);
      expect(await reload.run(restart, never)).toBeUndefined();
      expect(await eventually(() => child.signalCode === 'SIGTERM')).toBe(true);
    }
  });

  it('a process that is gone is RELOAD_NO_PROCESS', async () => {
    const dir = scratch();
    const { pid, child } = await children.start('sh', '-c', 'echo ready');
    writeFileSync(join(dir, 'app.pid'), `${pid}`);
    await eventually(() => child.exitCode !== null);
    const failed = await reloadBy(join(dir, 'app.pid')).run(1, never);
    expect(failed).toMatchObject({
      code: 'RELOAD_NO_PROCESS',
      place,
      seen: `there is no process ${pid}`,
      retry: 'backoff',
    });
  });

  it.runIf(process.platform === 'linux')('a reused pid is not signalled', async () => {
    const dir = scratch();
    const pid = await startListener(dir);
    const before = new Date(Date.now() - 60_000);
    utimesSync(join(dir, 'app.pid'), before, before);
    const failed = await reloadBy(join(dir, 'app.pid'), 'SIGKILL').run(1, never);
    expect(failed).toMatchObject({ code: 'RELOAD_PID_REUSED', place });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(isAlive(pid)).toBe(true);
  });

  it.each([
    ['1', 'RELOAD_PID_REFUSED'],
    ['-1', 'RELOAD_PID_REFUSED'],
    ['0', 'RELOAD_PID_REFUSED'],
    [`${process.pid}`, 'RELOAD_PID_REFUSED'],
    ['', 'RELOAD_PID_FILE'],
    ['app', 'RELOAD_PID_FILE'],
  ])('a pid file with %j is %s', async (text, code) => {
    const path = join(scratch(), 'app.pid');
    writeFileSync(path, text);
    // SIGWINCH does no harm to a process that gets it by mistake.
    expect((await reloadBy(path, 'SIGWINCH').run(1, never))?.code).toBe(code);
  });

  it('a missing pid file is RELOAD_PID_FILE and names it', async () => {
    const path = join(scratch(), 'app.pid');
    expect(await reloadBy(path).run(1, never)).toMatchObject({
      code: 'RELOAD_PID_FILE',
      seen: `pid file ${path} is missing`,
    });
  });

  it('finds out when the pid file that it failed for appears or is replaced', async () => {
    const path = join(scratch(), 'app.pid');
    const clock = new FakeClock();
    const config = { kind: 'signal', name: 'SIGWINCH', pidFile: path, place } as const;
    const reload = createSignalReload(config, clock);
    for (const change of [() => writeFileSync(path, '1'), () => writeFileSync(path, '0\n'), () => rmSync(path)]) {
      expect(await reload.run(1, never)).toBeDefined();
      let changed = false;
      void reload.untilChanged?.(never).then(() => {
        changed = true;
      });
      await clock.advance(5_000);
      expect(changed).toBe(false);
      change();
      for (let tries = 0; tries < 200 && !changed; tries++) {
        await clock.advance(500);
        await sleep(5);
      }
      expect(changed).toBe(true);
    }
  });

  it('nothing is sent after an abort', async () => {
    const dir = scratch();
    await startListener(dir);
    const failed = await reloadBy(join(dir, 'app.pid'), 'SIGKILL').run(1, AbortSignal.abort());
    expect(failed?.code).toBe('CANCELLED');
  });

  it.runIf(othersCanRun())("another user's process is RELOAD_NOT_PERMITTED", async () => {
    const dir = scratch();
    await startListener(dir);
    const config = { kind: 'signal', name: 'SIGHUP', pidFile: join(dir, 'app.pid'), place };
    expect(runProgram('reload-once.ts', config, { uid: 65534, gid: 65534 })).toBe('RELOAD_NOT_PERMITTED');
  });
});
