import { type Failure, failure } from '../base/errors.ts';
import { type ProcEntry, readProcTable } from './proc-table.ts';

export type Pids = { readonly pids: readonly number[] } | { readonly failure: Failure };

/**
 * The processes of a name in our PID namespace, looked up anew at each call: those whose `comm` or program file has
 * it. Of processes below each other the topmost counts, as `nginx` means its master and not its workers.
 *
 * Left out: ourselves and what we started. Refused: process 1, which in a shared namespace is the pause container's,
 * and what stands below a process 1 of that name.
 *
 * @param all takes several that do not stand below each other.
 * Never throws. Codes: RELOAD_NO_PROCESS, RELOAD_SEVERAL_PROCESSES, RELOAD_PID_REFUSED.
 */
export async function findProcesses(name: string, all: boolean, place: string): Promise<Pids> {
  const table = await readProcTable();
  if (table === undefined) return { failure: failure('RELOAD_NO_PROCESS', place, 'there is no /proc to look in') };
  return chooseProcesses(table, { name, all, place, self: process.pid });
}

export interface ProcessChoice {
  readonly name: string;
  readonly all: boolean;
  readonly place: string;
  /** Our own pid. */
  readonly self: number;
}

/** Pure: which of a table's processes are meant. */
export function chooseProcesses(table: readonly ProcEntry[], { name, all, place, self }: ProcessChoice): Pids {
  const byPid = new Map(table.map((entry) => [entry.pid, entry]));
  const matches = new Set(table.filter(({ comm, exe }) => comm === name || exe === name).map(({ pid }) => pid));
  const tops = new Set<number>();
  for (const pid of matches) {
    const line = [pid, ...ancestors(pid, byPid)];
    if (!line.includes(self)) tops.add(line.findLast((one) => matches.has(one)) ?? pid);
  }
  if (tops.has(1)) {
    const hint = 'Give it an init (shareProcessNamespace, docker run --init), or use pidFile, http or command.';
    return {
      failure: failure('RELOAD_PID_REFUSED', place, `${name} is process 1, which is never signalled`, { hint }),
    };
  }
  if (tops.size === 0) return { failure: noneOf(name, place) };
  if (tops.size > 1 && !all) {
    return { failure: failure('RELOAD_SEVERAL_PROCESSES', place, `${tops.size} processes are named ${name}`) };
  }
  return { pids: [...tops] };
}

export function noneOf(name: string, place: string): Failure {
  const long = Buffer.byteLength(name) > 15;
  const hint = long
    ? 'Start it, or write the first 15 bytes: another user’s process shows no more of its name.'
    : 'Start the application, and share its PID namespace (shareProcessNamespace: true).';
  return failure('RELOAD_NO_PROCESS', place, `no process is named ${name}`, { hint });
}

/** Parents upwards. A table is read piece by piece while pids are reused, so it may hold a circle. */
function ancestors(pid: number, byPid: ReadonlyMap<number, ProcEntry>): readonly number[] {
  const line: number[] = [];
  for (let at = byPid.get(pid)?.parent; at !== undefined && at > 0; at = byPid.get(at)?.parent) {
    if (at === pid || line.includes(at)) break;
    line.push(at);
  }
  return line;
}
