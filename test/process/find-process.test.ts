import { copyFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { chooseProcesses, findProcesses } from '../../src/process/find-process.ts';
import { type ProcEntry, readProcTable } from '../../src/process/proc-table.ts';
import { useScratch } from '../deliver/file/file-sink.helpers.ts';
import { eventually, useChildren } from './children.helpers.ts';

const scratch = useScratch();
const children = useChildren();
const place = 'outputs.shop.reload[0]';
const SELF = 50;

/** Lines of `pid parent comm [exe]`; the agent itself and process 1 are added. */
function tableOf(text: string): readonly ProcEntry[] {
  const lines = ['1 0 pause', `${SELF} 1 node`, ...text.trim().split('\n')].map((line) => line.trim().split(' '));
  const all = lines.map(([pid, parent, comm = '', exe]) => ({ pid: Number(pid), parent: Number(parent), comm, exe }));
  return [...new Map(all.map((entry) => [entry.pid, entry])).values()];
}

function chosen(text: string, name = 'nginx', all = false): readonly number[] | string {
  const found = chooseProcesses(tableOf(text), { name, all, place, self: SELF });
  return 'pids' in found ? found.pids : `${found.failure.code}: ${found.failure.seen}`;
}

describe('the processes of a name', () => {
  it.each<[string, string, readonly number[] | string]>([
    ['one by comm', '7 1 nginx', [7]],
    ['one by its program', '7 1 worker nginx', [7]],
    ['none', '7 1 nginx-debug\n8 1 ngin', 'RELOAD_NO_PROCESS: no process is named nginx'],
    ['a master with its workers', '7 1 nginx\n8 7 nginx\n9 7 nginx', [7]],
    ['a worker listed before its master', '6 9 nginx\n9 1 nginx', [9]],
    ['another program in between', '7 1 nginx\n8 7 sh\n9 8 nginx', [7]],
    ['two that are not related', '7 1 nginx\n8 1 nginx', 'RELOAD_SEVERAL_PROCESSES: 2 processes are named nginx'],
    ['two trees', '7 1 nginx\n8 7 nginx\n9 1 nginx', 'RELOAD_SEVERAL_PROCESSES: 2 processes are named nginx'],
    ['children of the agent', '7 50 nginx\n8 7 nginx', 'RELOAD_NO_PROCESS: no process is named nginx'],
    ['a child of the agent beside the application', '7 50 nginx\n8 1 nginx', [8]],
    ['process 1', '1 0 nginx\n7 1 nginx', 'RELOAD_PID_REFUSED: nginx is process 1, which is never signalled'],
    ['parents in a circle', '7 8 nginx\n8 7 sh', [7]],
  ])('%s', (_, table, expected) => {
    expect(chosen(table)).toEqual(expected);
  });

  it('are never the agent itself', () => {
    expect(chosen('7 1 sh', 'node')).toBe('RELOAD_NO_PROCESS: no process is named node');
    expect(chosen('7 1 node', 'node')).toEqual([7]);
  });

  it('are the topmost of each tree with all: true', () => {
    expect(chosen('7 1 nginx\n8 7 nginx\n9 1 nginx', 'nginx', true)).toEqual([7, 9]);
    expect(chosen('7 1 nginx\n50 1 nginx\n9 50 nginx', 'nginx', true)).toEqual([7]);
  });
});

describe.runIf(process.platform === 'linux')('on Linux', () => {
  it('a real process is found by its comm and its program, also when the program was replaced; a child of the agent is not', async () => {
    const name = `pt-${process.pid}`;
    const program = join(scratch(), name);
    copyFileSync('/bin/sleep', program);
    const { pid } = await children.start('sh', '-c', `${program} 30 & echo $!; wait`);
    const entry = async () => (await readProcTable())?.find(({ comm }) => comm === name);
    await vi.waitFor(async () => expect(await entry()).toMatchObject({ parent: pid, comm: name, exe: name }));
    expect(await findProcesses(name, true, place)).toMatchObject({ failure: { code: 'RELOAD_NO_PROCESS' } });

    const left = await children.start('sh', '-c', `${program} 31 & echo $!`);
    const orphan = Number(left.line);
    await eventually(() => left.child.exitCode !== null);
    await vi.waitFor(async () => expect(await findProcesses(name, false, place)).toEqual({ pids: [orphan] }));
    copyFileSync('/bin/sleep', `${program}.new`);
    renameSync(`${program}.new`, program);
    expect((await readProcTable())?.find((entry) => entry.pid === orphan)?.exe).toBe(name);
  });
});
