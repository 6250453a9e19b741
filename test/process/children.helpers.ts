/** Real child processes for tests; each is killed with its whole group after the test, passed or failed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach } from 'vitest';

export function useChildren() {
  const started: ChildProcess[] = [];
  const groups: number[] = [];
  afterEach(() => {
    for (const child of started.splice(0)) child.stdout?.destroy();
    for (const group of groups.splice(0)) {
      try {
        process.kill(-group, 'SIGKILL');
      } catch {
        // the group is gone
      }
    }
  });
  return {
    /** Kills the group of a child too that was started elsewhere. */
    keep(pid: number | undefined): void {
      if (pid !== undefined) groups.push(pid);
    },
    /** Resolves when the child has printed its first line, with that line. */
    async start(
      command: string,
      ...args: readonly string[]
    ): Promise<{ child: ChildProcess; pid: number; line: string }> {
      const child = spawn(command, args, { detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
      started.push(child);
      if (child.pid !== undefined) groups.push(child.pid);
      const line = await new Promise<string>((resolve, reject) => {
        child.once('error', reject);
        child.stdout.once('data', (data: Buffer) => resolve(data.toString().trim()));
      });
      return { child, pid: child.pid as number, line };
    },
  };
}

export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Waits up to two seconds for a condition, and says whether it holds. */
export async function eventually(holds: () => boolean): Promise<boolean> {
  for (let tries = 0; tries < 200 && !holds(); tries++) await sleep(10);
  return holds();
}

export const fileAppears = (path: string): Promise<boolean> => eventually(() => existsSync(path));
