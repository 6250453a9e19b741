import { constants } from 'node:os';

const FILE_CALLS = new Set(['FSReqCallback', 'FSReqPromise']);
const LOOK_UPS = new Set(['GetAddrInfoReqWrap', 'GetNameInfoReqWrap']);

/** How long the end waits at most for calls in Node's thread pool: after a signal, and without one. */
const MAX_WAIT_AFTER_SIGNAL_MS = 500;
const MAX_WAIT_MS = 3_000;

/** The longest that `endProcess` takes after a signal. */
export const MAX_END_MS = MAX_WAIT_AFTER_SIGNAL_MS + 200;

let isHurried = false;
let earlyListener: NodeJS.SignalsListener | undefined;

/** To call when a stop signal has come: from then on the end waits less, and a DNS look-up cannot delay it either. */
export function hurry(): void {
  isHurried = true;
}

/**
 * Ends the process with a status. Before Node exits it waits for the calls in its thread pool, and a call on a file
 * system that hangs never returns. When such a call is left SIGTERM ends the process, and the status is 143.
 */
export async function endProcess(status: number): Promise<never> {
  const maxWaitMs = isHurried ? MAX_WAIT_AFTER_SIGNAL_MS : MAX_WAIT_MS;
  for (let waitedMs = 0; hasPoolCalls() && waitedMs < maxWaitMs; waitedMs += 1) await sleep(1);
  if (hasPoolCalls()) {
    process.removeAllListeners('SIGTERM');
    process.kill(process.pid, 'SIGTERM');
    await sleep(100); // SIGTERM does not end process 1: it goes on to the exit below
  }
  process.exit(status);
}

/**
 * Listens for SIGTERM and SIGINT as process 1, which the kernel lets ignore a signal that it does not listen for: so a
 * signal ends it while the configuration is read, as it ends any other process.
 */
export function listenEarly(): void {
  if (process.pid !== 1) return;
  earlyListener = (signal) => {
    hurry();
    void endProcess(128 + constants.signals[signal]);
  };
  process.on('SIGTERM', earlyListener).on('SIGINT', earlyListener);
}

/** Removes the listeners of `listenEarly`. To call by the code that listens for signals from then on. */
export function endListeningEarly(): void {
  if (earlyListener !== undefined) process.off('SIGTERM', earlyListener).off('SIGINT', earlyListener);
  earlyListener = undefined;
}

/** Not by node:timers/promises, which takes half a millisecond to load. */
function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function hasPoolCalls(): boolean {
  return process.getActiveResourcesInfo().some((kind) => FILE_CALLS.has(kind) || (isHurried && LOOK_UPS.has(kind)));
}
