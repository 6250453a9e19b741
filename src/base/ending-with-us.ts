import type { AsyncLocalStorage } from 'node:async_hooks';
import type { ChildProcess } from 'node:child_process';

/** Programs that are to end with this process, and how each is ended. */
const running = new Map<ChildProcess, () => void>();

/** Is set in what `programsEndWithUs` runs; made at its first call. */
let inside: AsyncLocalStorage<true> | undefined;

/**
 * Has a program ended when this process ends before it, whatever ends this process but SIGKILL. Nobody waits for it
 * then, and it would go on under process 1 with what it knows.
 */
export function endsWithUs(child: ChildProcess, end: () => void): void {
  if (running.size === 0) process.on('exit', endAll);
  running.set(child, end);
  const forget = () => {
    running.delete(child);
    if (running.size === 0) process.off('exit', endAll);
  };
  child.once('exit', forget).once('error', forget);
}

/** The same for each program that a library starts in `work`, and for what that program has started. */
export function programsEndWithUs<T>(work: () => T): T {
  inside ??= listen();
  return inside.run(true, work);
}

function listen(): AsyncLocalStorage<true> {
  const storage = new (process.getBuiltinModule('node:async_hooks').AsyncLocalStorage)<true>();
  process.getBuiltinModule('node:diagnostics_channel').subscribe('child_process', (message) => {
    if (storage.getStore() !== true) return;
    const { process: child } = message as { readonly process: ChildProcess };
    endsWithUs(child, () => endTree(child.pid));
  });
  return storage;
}

function endAll(): void {
  for (const end of running.values()) end();
}

/** Ends a process and its descendants, who are found before it is gone. */
function endTree(pid: number | undefined): void {
  if (pid === undefined) return;
  for (const child of childrenOf(pid)) endTree(child);
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it has ended already
  }
}

/** None where the system does not tell. */
function childrenOf(pid: number): readonly number[] {
  try {
    const text = process.getBuiltinModule('node:fs').readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1');
    return text.split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}
