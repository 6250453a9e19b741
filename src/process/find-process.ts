import { type Failure, failure } from '../base/errors.ts';
import { type ProcEntry, readProcTable } from './proc-table.ts';

/** Process ids, at least one; or why there are none. */
export type Pids = { readonly pids: readonly number[] } | { readonly failure: Failure };

/**
 * Finds the processes in Pannier's PID namespace whose `comm` or program file has this name, anew at each call. Of a
 * process and its descendants the topmost counts, as `nginx` means its master and not its workers.
 *
 * Left out: Pannier itself and the processes that it started. Refused: process 1 (in a shared namespace it is the pause
 * container's), and every process below a process 1 of that name.
 *
 * Never throws. Failures: RELOAD_NO_PROCESS, RELOAD_SEVERAL_PROCESSES, RELOAD_PID_REFUSED.
 * @param all whether several processes that are not below each other are fine.
 */
export async function findProcesses(name: string, all: boolean, place: string): Promise<Pids> {
  const table = await readProcTable();
  if (table === undefined)
    return {
      failure: failure('RELOAD_NO_PROCESS', place, 'there is no /proc, so no process can be found by its name'),
    };
  return chooseProcesses(table, { name, all, place, self: process.pid });
}

export interface ProcessChoice {
  readonly name: string;
  readonly all: boolean;
  readonly place: string;
  /** Pannier's own pid. */
  readonly self: number;
}

/** Pure: which processes of a table `findProcesses` chooses. */
export function chooseProcesses(table: readonly ProcEntry[], { name, all, place, self }: ProcessChoice): Pids {
  const byPid = new Map(table.map((entry) => [entry.pid, entry]));
  const matches = new Set(table.filter(({ comm, exe }) => comm === name || exe === name).map(({ pid }) => pid));
  const tops = new Set<number>();
  for (const pid of matches) {
    const lineage = [pid, ...ancestors(pid, byPid)];
    if (!lineage.includes(self)) tops.add(lineage.findLast((ancestor) => matches.has(ancestor)) ?? pid);
  }
  if (tops.has(1)) {
    const hint =
      'Run it below an init process (shareProcessNamespace, docker run --init), or use pidFile, http or command.';
    return {
      failure: failure('RELOAD_PID_REFUSED', place, `${name} is process 1, which is never signalled`, { hint }),
    };
  }
  if (tops.size === 0) return { failure: noProcessNamed(name, place) };
  if (tops.size > 1 && !all) {
    return { failure: failure('RELOAD_SEVERAL_PROCESSES', place, `${tops.size} processes are named ${name}`) };
  }
  return { pids: [...tops] };
}

/** RELOAD_NO_PROCESS for a name. */
export function noProcessNamed(name: string, place: string): Failure {
  const long = Buffer.byteLength(name) > 15;
  const hint = long
    ? 'Start the application, or write the first 15 bytes: of another user’s process no more of the name can be seen.'
    : 'Start the application, and share its PID namespace (shareProcessNamespace: true).';
  return failure('RELOAD_NO_PROCESS', place, `no process is named ${name}`, { hint });
}

/** The parent, its parent, and so on. A table is read piece by piece while pids are reused, so it may hold a circle. */
function ancestors(pid: number, byPid: ReadonlyMap<number, ProcEntry>): readonly number[] {
  const found: number[] = [];
  for (let at = byPid.get(pid)?.parent; at !== undefined && at > 0; at = byPid.get(at)?.parent) {
    if (at === pid || found.includes(at)) break;
    found.push(at);
  }
  return found;
}
