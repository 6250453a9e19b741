import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import type { Failure } from '../../src/base/errors.ts';
import { findServiceManager } from '../../src/process/service-manager.ts';
import { useScratch } from '../deliver/file/file-sink.helpers.ts';
import { eventually } from './children.helpers.ts';
import { openNotifySocket } from './notify-socket.helpers.ts';

const scratch = useScratch();

function managerOf(env: Record<string, string>, isAlive: () => boolean = () => true) {
  const warnings: Failure[] = [];
  const warn = (warning: Failure) => warnings.push(warning);
  return { warnings, manager: findServiceManager({ env, clock: systemClock, isAlive, warn }) };
}

describe('the service manager', () => {
  it('is none without NOTIFY_SOCKET', () => {
    expect([managerOf({}).manager, managerOf({ NOTIFY_SOCKET: '' }).manager]).toEqual([undefined, undefined]);
  });

  it('gets ready once, then each reload, and the stop, in order', async () => {
    await using socket = await openNotifySocket(scratch());
    const { manager, warnings } = managerOf(socket.env);
    const before = process.hrtime.bigint() / 1000n;
    manager?.reloading();
    manager?.reloaded();
    manager?.ready();
    manager?.ready();
    manager?.reloading();
    manager?.reloaded();
    manager?.stopping();
    await manager?.[Symbol.asyncDispose]();
    await eventually(() => socket.messages.length === 4);
    const [ready, [reloading, stamp = ''] = [], ...rest] = socket.messages;
    expect([ready, reloading, rest]).toEqual([['READY=1'], 'RELOADING=1', [['READY=1'], ['STOPPING=1']]]);
    const usec = BigInt(stamp.replace('MONOTONIC_USEC=', ''));
    expect(usec >= before && usec <= process.hrtime.bigint() / 1000n).toBe(true);
    expect(warnings).toEqual([]);
  });

  it('gets watchdog messages at half of WATCHDOG_USEC, and none while there is no progress', async () => {
    await using socket = await openNotifySocket(scratch());
    let isAlive = true;
    const { manager } = managerOf(
      { ...socket.env, WATCHDOG_USEC: '200000', WATCHDOG_PID: `${process.pid}` },
      () => isAlive,
    );
    await pause(1000);
    isAlive = false;
    await pause(200);
    const count = socket.messages.length;
    expect(count).toBeGreaterThanOrEqual(4);
    expect(count).toBeLessThanOrEqual(10);
    await pause(400);
    expect(socket.messages).toHaveLength(count);
    isAlive = true;
    await eventually(() => socket.messages.length > count);
    expect(socket.messages.every(([message]) => message === 'WATCHDOG=1')).toBe(true);
    await manager?.[Symbol.asyncDispose]();
  });

  it('gets no watchdog messages when WATCHDOG_PID names another process', async () => {
    await using socket = await openNotifySocket(scratch());
    await using _ = managerOf({ ...socket.env, WATCHDOG_USEC: '100000', WATCHDOG_PID: '1' }).manager;
    await pause(300);
    expect(socket.messages).toEqual([]);
  });

  it.each([
    ['there is no systemd-notify', { PATH: '/nowhere' }],
    ['the socket does not exist', {}],
  ])('leads to one warning when %s', async (_title, more) => {
    await using socket = await openNotifySocket(scratch());
    const { manager, warnings } = managerOf({ ...socket.env, NOTIFY_SOCKET: join(scratch(), 'none'), ...more });
    manager?.ready();
    manager?.reloading();
    manager?.stopping();
    await manager?.[Symbol.asyncDispose]();
    expect(warnings).toMatchObject([{ code: 'AGENT_NOTIFY', place: 'NOTIFY_SOCKET' }]);
  });
});
