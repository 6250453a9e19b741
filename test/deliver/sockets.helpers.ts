import { spawnSync } from 'node:child_process';
import { lstatSync } from 'node:fs';
import { expect } from 'vitest';

/** Leaves the socket of a process that was killed. */
export function leaveDead(path: string): void {
  const listens = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  const child = spawnSync(process.execPath, ['-e', listens]);
  expect([child.signal, lstatSync(path).isSocket()]).toEqual(['SIGKILL', true]);
}
