import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseProcStat, readBootSeconds, readProcStat, startedAtMs } from '../../src/process/proc-stat.ts';
import { useScratch } from '../deliver/file/file-sink.helpers.ts';
import { useChildren } from './children.helpers.ts';

const scratch = useScratch();
const children = useChildren();
/** Fields 4 to 21, each its own number, so that a miscount shows. */
const between = Array.from({ length: 18 }, (_, i) => i + 4).join(' ');

describe('/proc/PID/stat', () => {
  it.each([
    ['a plain name', 'nginx'],
    ['a name with spaces', 'tmux: server'],
    ['a name that looks like fields', 'x) Z 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 ('],
    ['a name of brackets', ')))('],
    ['a name with a newline', 'a)\nS 1'],
  ])('is counted after the last bracket: %s', (_, name) => {
    expect(parseProcStat(`4711 (${name}) S ${between} 123456 999 999\n`)).toEqual({
      state: 'S',
      parent: 4,
      group: 5,
      startTicks: 123456,
    });
  });

  it.each(['', 'nothing', '4711 (x) S 1 2 3', `4711 (x) S ${between} soon`])('%j is not parsed', (text) => {
    expect(parseProcStat(text)).toBeUndefined();
  });
});

describe.runIf(process.platform === 'linux')('on Linux', () => {
  it('a real process has its start time, whatever its name', async () => {
    const copy = join(scratch(), 'a) S 1 (b');
    copyFileSync('/bin/sh', copy);
    const before = Date.now();
    const { pid } = await children.start(copy, '-c', 'echo ready; read _ || sleep 30');
    const stat = await readProcStat(pid);
    const started = startedAtMs(stat?.startTicks as number, (await readBootSeconds()) as number);
    expect(started).toBeGreaterThan(before - 1100);
    expect(started).toBeLessThanOrEqual(Date.now() + 1000);
  });

  it('a process that does not exist has no entry', async () => {
    expect(await readProcStat(2 ** 30)).toBeUndefined();
  });
});
