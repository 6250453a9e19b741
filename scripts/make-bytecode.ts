import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

/**
 * Two builds give the same bytecode under these: V8's hash tables and Math.random have a fixed seed, no function is
 * dropped because it did not run for a while, and none is compiled on another thread, which would leave a mark in it.
 */
const SAME = ['--hash-seed=1', '--random-seed=1', '--no-flush-bytecode', '--no-baseline-batch-compilation'];

/**
 * Makes the bytecode of the scripts in a folder like `dist`, in processes of their own, since V8 refuses bytecode that
 * was made under other flags.
 * @param build the hash of all scripts.
 */
export async function makeBytecode(dist: string, build: string): Promise<void> {
  const node = (...args: readonly string[]) => promisify(execFile)(process.execPath, [...SAME, ...args]);
  for (const command of ['init', 'run']) await node('scripts/bytecode.ts', dist, build, command);
  for (const name of (await readdir(dist)).filter((file) => file.endsWith('.bytecode'))) {
    await node('scripts/renumber.cjs', join(dist, name));
  }
}
