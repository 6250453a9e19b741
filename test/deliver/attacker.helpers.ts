import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { memoryDisk } from '../../src/deliver/file/disk.ts';
import { removeTree } from '../../src/deliver/file/remove-tree.ts';
import { program } from './file/file-sink.helpers.ts';

/** The id of another user, who owns directories in which an agent that runs as root writes. */
export const ATTACKER = 23_456;

/** Why tests with an attacker cannot run here; undefined: they can. */
export const attackerMissing: string | undefined =
  process.getuid?.() !== 0
    ? 'they need root'
    : spawnSync('python3', ['-c', 'import ctypes; ctypes.CDLL(None).renameat2']).status !== 0
      ? 'python3 with renameat2 is missing'
      : undefined;

if (attackerMissing !== undefined) process.stderr.write(`tests with an attacker are skipped: ${attackerMissing}\n`);

export function giveToAttacker(...paths: readonly string[]): void {
  for (const path of paths) chownSync(path, ATTACKER, ATTACKER);
}

/** Removes entries of a directory although the attacker exchanges them meanwhile. */
export async function clear(dir: string, names: readonly string[] = readdirSync(dir)): Promise<void> {
  for (const name of names) {
    while (existsSync(join(dir, name))) await removeTree(memoryDisk, join(dir, name), true).catch(() => undefined);
    await removeTree(memoryDisk, join(dir, name), true).catch(() => undefined); // a symlink that leads nowhere
  }
}

/** Starts exchange.py as the attacker; it runs until it is disposed. */
export async function startAttacker(...args: readonly string[]): Promise<AsyncDisposable> {
  const child = spawn('python3', [program('exchange.py'), String(ATTACKER), ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return {
    async [Symbol.asyncDispose]() {
      const ended = once(child, 'exit');
      child.stdin.end();
      await ended;
    },
  };
}
