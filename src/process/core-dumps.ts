import { closeSync, openSync, readSync, writeSync } from 'node:fs';

/** Which parts of memory a core dump of this process has (core(5)): a mask in hexadecimal. */
const OWN_FILTER = '/proc/self/coredump_filter';

/** What the mask was, for the processes that Pannier starts; undefined while it is unchanged. */
let inherited: string | undefined;

/**
 * Takes memory out of the core dumps of this process, which hold every value otherwise. A limit of their size would do
 * less: Node cannot set one, and the kernel does not apply it where dumps go to a program such as systemd-coredump.
 * Does nothing where there is no such file.
 */
export function emptyCoreDumps(): void {
  try {
    const fd = openSync(OWN_FILTER, 'r+');
    try {
      const before = Buffer.alloc(16);
      inherited = before.toString('latin1', 0, readSync(fd, before, 0, before.length, 0)).trim();
      writeSync(fd, '0');
    } finally {
      closeSync(fd);
    }
  } catch {
    // another system, or a container that does not let this file be written
  }
}

/** Gives a process that was just started the mask that this process had: its dumps are its own business. */
export function restoreCoreDumps(pid: number | undefined): void {
  if (inherited === undefined || pid === undefined) return;
  try {
    const fd = openSync(`/proc/${pid}/coredump_filter`, 'w');
    try {
      writeSync(fd, `0x${inherited}`);
    } finally {
      closeSync(fd);
    }
  } catch {
    // it has ended, or runs as another user
  }
}
