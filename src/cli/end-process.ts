import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

const FILE_CALLS = new Set(['FSReqCallback', 'FSReqPromise']);
const LOOK_UPS = new Set(['GetAddrInfoReqWrap', 'GetNameInfoReqWrap']);

/** How long calls in the thread pool may still take: the first after a signal, the second when nobody is in a hurry. */
const HURRY_MS = 500;
const WAIT_MS = 3_000;

/** What `endProcess` takes at most after a signal. */
export const END_MS = HURRY_MS + 200;

let isHurried = false;
let early: NodeJS.SignalsListener | undefined;

/** Told that a signal came: from now on the end must not wait for a name server either. */
export function hurry(): void {
  isHurried = true;
}

/**
 * Ends the process with a status. Node waits at its end for the calls in its thread pool, and one on a file system that
 * hangs never ends: with one of those left a signal ends the process, and its status is that of SIGTERM.
 */
export async function endProcess(status: number): Promise<never> {
  const most = isHurried ? HURRY_MS : WAIT_MS;
  for (let waitedMs = 0; isInPool() && waitedMs < most; waitedMs += 1) await sleep(1);
  if (isInPool()) {
    process.removeAllListeners('SIGTERM');
    process.kill(process.pid, 'SIGTERM');
    await sleep(100); // process 1 is not ended by it
  }
  process.exit(status);
}

/**
 * Process 1 ignores a signal that it does not listen for. So that one which comes while the configuration is read ends
 * it, as it ends any other process.
 */
export function listenEarly(): void {
  if (process.pid !== 1) return;
  early = (signal) => {
    hurry();
    void endProcess(128 + constants.signals[signal]);
  };
  process.on('SIGTERM', early).on('SIGINT', early);
}

/** To be called by what listens for signals from now on. */
export function endListeningEarly(): void {
  if (early !== undefined) process.off('SIGTERM', early).off('SIGINT', early);
  early = undefined;
}

function isInPool(): boolean {
  return process.getActiveResourcesInfo().some((kind) => FILE_CALLS.has(kind) || (isHurried && LOOK_UPS.has(kind)));
}
