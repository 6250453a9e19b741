/**
 * A configuration this long (in characters) names some fifty secrets; for less, loading node:v8 costs more than it
 * saves.
 */
const LARGE = 4 * 1024;

/** And this long some 2,500. */
const HUGE = 192 * 1024;

/**
 * V8 while the secrets of a start come, all at once and each handled once. To optimise code pays for itself only after
 * thousands of them, and its compilers, on threads of their own, take 20 MiB. And the young generation, which V8
 * doubles while much survives, stays as it is. Peak memory of init with 1,000 secrets 110 MiB before, 79 MiB after, for
 * the same CPU.
 */
const SPARING = ['--no-opt', '--no-maglev', '--semi-space-growth-factor=1'];

/** What is dead is collected sooner. Peak memory of init with 5,000 secrets 147 MiB before, 105 MiB after. */
const MORE_SPARING = ['--heap-growing-percent=15'];

/**
 * As V8 has it by itself, but for the compilers, and for the young generation: it does not grow, since a busy API keeps
 * its size for good. Resident memory of run after 400,000 reads 107 MiB before, 86 MiB after, for the same CPU.
 */
const USUAL = ['--heap-growing-percent=0'];

const OPTIMISING = ['--opt', '--maglev'];

/** An agent is busy when it sends and receives so many requests within so long. */
const BUSY_REQUESTS = 250;
const BUSY_MS = 10_000;

/**
 * Tunes V8 for a start with a long configuration. It is called before the configuration is parsed, since memory begins
 * to grow then.
 * @param length of all files so far, in characters.
 * @param file the last one.
 */
export function tuneForLargeConfig(length: number, { text }: { readonly text: string }): void {
  if (length < LARGE) return;
  // Under other flags V8 takes no compiled code from Node, and what speaks to the backend is loaded later: 9 ms for
  // http, more for https.
  process.getBuiltinModule(text.includes('https://') ? 'node:https' : 'node:http');
  setFlags(SPARING);
  if (length >= HUGE) setFlags(MORE_SPARING);
}

/**
 * For the rest of the start of an agent that stays: V8's optimising compilers would bring 5 MiB of their own code into
 * memory. To be called when the code of the start is loaded, since V8 refuses bytecode that was made under other flags.
 */
export function spareMemory(): void {
  process.getBuiltinModule('node:http'); // what the first login will use, see tuneForLargeConfig
  setFlags(SPARING);
}

/** Sets all flags as V8 starts with them. */
export function undoTuning(): void {
  setFlags([...USUAL, ...OPTIMISING, '--semi-space-growth-factor=2']);
}

/** For one collection: code that is not running goes with the garbage, however recently it was used. */
const FLUSHING = ['--stress-flush-code', '--flush-baseline-code'];

/** The two above, as V8 has them by itself. */
const NOT_FLUSHING = ['--no-stress-flush-code', '--no-flush-baseline-code'];

/**
 * After the start, for an agent that stays: what the start needed is given back to the system. V8 by itself would get
 * there as well, in minutes, and keep more. Resident memory of run with 1,000 secrets 85 MiB before, 65 MiB after; it
 * takes some 30 ms, once. Most code of a start does not run again; what does is compiled anew from its source when it
 * is called (3.6 MiB of run with 10 secrets).
 */
export function releaseStartMemory(): void {
  setFlags([...USUAL, ...FLUSHING, '--expose-gc']);
  const collect = process.getBuiltinModule('node:vm').runInNewContext('gc') as (how: object) => void;
  collect({ type: 'major', flavor: 'last-resort' });
  setFlags([...NOT_FLUSHING, '--no-expose-gc']);
  optimiseWhenBusy();
}

/**
 * Turns V8's optimising compilers on when the agent is busy for the first time: what is done often is done fast then.
 * They bring 5 MiB of their own code into memory, and some of what they make; for 1,000 secrets that are read each five
 * minutes they would do so within half a minute, and save no measurable time.
 */
function optimiseWhenBusy(): void {
  const { subscribe, unsubscribe } = process.getBuiltinModule('node:diagnostics_channel');
  let requests = 0;
  let sinceMs = performance.now();
  const count = () => {
    if (++requests < BUSY_REQUESTS) return;
    const now = performance.now();
    const isBusy = now - sinceMs < BUSY_MS;
    requests = 0;
    sinceMs = now;
    if (!isBusy) return;
    for (const channel of CHANNELS) unsubscribe(channel, count);
    setFlags(OPTIMISING);
  };
  for (const channel of CHANNELS) subscribe(channel, count);
}

/** Of node:http; a request that is received, and one that is sent. */
const CHANNELS = ['http.server.request.start', 'http.client.request.start'];

function setFlags(flags: readonly string[]): void {
  const { setFlagsFromString } = process.getBuiltinModule('node:v8');
  for (const flag of flags) setFlagsFromString(flag);
}
