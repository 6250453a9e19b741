/** The faults of the soak, one after the other, with pauses in between. */
import { setTimeout as pause } from 'node:timers/promises';
import { endless, garbage, gzipBomb, halfJson, redirectLoop, refusal, retryAfter, webPage } from './answers.ts';
import type { FaultProxy } from './fault-proxy.ts';
import { type Answerer, drip, halfBody, hang, reset } from './fault-server.ts';

export interface PlayedFault {
  readonly name: string;
  readonly fromMs: number;
  readonly toMs: number;
}

const FAULT_S = [1, 6] as const;
const FIRST_MS = 15_000;
const PAUSE_S = [3, 9] as const;

/** Each second request only. */
function sometimes(answer: Answerer, { pass }: FaultProxy): Answerer {
  let count = 0;
  return (request, socket) => (count++ % 2 === 0 ? answer : pass)(request, socket);
}

function late({ pass }: FaultProxy, ms: number): Answerer {
  return (request, socket) => void setTimeout(() => pass(request, socket), ms);
}

const FAULTS: Readonly<Record<string, (proxy: FaultProxy) => unknown>> = {
  reset: (proxy) => proxy.fault(reset),
  'sometimes reset': (proxy) => proxy.fault(sometimes(reset, proxy)),
  hang: (proxy) => proxy.fault(hang),
  'sometimes hang': (proxy) => proxy.fault(sometimes(hang, proxy)),
  'half body': (proxy) => proxy.fault(halfBody),
  'half JSON': (proxy) => proxy.fault(halfJson),
  garbage: (proxy) => proxy.fault(garbage),
  'web page': (proxy) => proxy.fault(webPage),
  'HTTP 500': (proxy) => proxy.fault(refusal(500)),
  'HTTP 503 with Retry-After': (proxy) => proxy.fault(retryAfter(503, '2')),
  'HTTP 429': (proxy) => proxy.fault(refusal(429)),
  drip: (proxy) => proxy.fault(drip),
  endless: (proxy) => proxy.fault(endless),
  'gzip bomb': (proxy) => proxy.fault(gzipBomb),
  'redirect loop': (proxy) => proxy.fault(redirectLoop),
  'answers 200 ms late': (proxy) => proxy.fault(late(proxy, 200)),
  refused: (proxy) => proxy.refuse(),
};

/** A random sequence that a seed gives again (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Playing {
  readonly random: () => number;
  readonly untilMs: number;
  /** Names of faults; absent: all. */
  readonly only?: readonly string[] | undefined;
  readonly ended: (fault: PlayedFault) => void;
}

/**
 * Plays faults until `untilMs`: each kind once, in an order of its own, then kinds at random. The proxy is whole after
 * `ended`.
 */
export function playFaults(
  proxy: FaultProxy,
  { random, untilMs, only = Object.keys(FAULTS), ended }: Playing,
): { readonly played: readonly PlayedFault[]; readonly ended: Promise<void> } {
  const played: PlayedFault[] = [];
  const within = ([low, high]: readonly [number, number]) => (low + (high - low) * random()) * 1_000;
  // An endless body takes the most memory of all, which the process keeps: it comes first, and lasts.
  const left = only.map((name) => ({ name, at: name === 'endless' ? 1 : random() })).toSorted((a, b) => a.at - b.at);
  const play = async () => {
    for (await pause(within(PAUSE_S)); performance.now() < untilMs; await pause(within(PAUSE_S))) {
      const isFirst = played.length === 0;
      const name = left.pop()?.name ?? (only[Math.floor(random() * only.length)] as string);
      const fromMs = performance.now();
      await FAULTS[name]?.(proxy);
      await pause(isFirst ? FIRST_MS : within(FAULT_S));
      proxy.fault();
      if (name === 'refused') await proxy.accept();
      const fault = { name, fromMs, toMs: performance.now() };
      played.push(fault);
      ended(fault);
    }
  };
  return { played, ended: play() };
}
