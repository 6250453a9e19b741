/** Plays one case, checks what must hold, and measures. */
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'vitest';
import { eventually } from '../system/agent.helpers.ts';
import type { FaultCase, Figures, Mode, Scene, Told } from './case.ts';
import { type SharedServers, startScene } from './scene.ts';

/** Milliseconds of each part in a full run; a short one goes by events. */
const STEADY_MS = 4_000;
const FAULT_MS = 20_000;
const AFTER_MS = 5_000;
/** Backoff ends after 30 s at the latest, `Retry-After` after five minutes. */
const FRESH_WITHIN_MS = 60_000;
/** What a fault is met with, before it is healed: so many failures in the log. */
const MET = 3;

export async function playCase(one: FaultCase, mode: Mode, shared: SharedServers): Promise<Figures> {
  await using scene = await startScene(one, mode, shared);
  const { agent, files, api } = scene;
  const { expect: wanted } = one;
  const { rotated = 'after it' } = wanted;
  if (mode === 'full') await pause(STEADY_MS);

  const fromMs = performance.now();
  await one.inject(scene);
  const before = scene.number;
  if (rotated !== 'no value comes') await rotateIfAnswering(scene);
  const told = await eventually(async () => {
    const now = await scene.told(wanted.of);
    expect(now).toMatchObject(whatIsWanted(wanted));
    // The first failure may be another one: a server that ends cuts connections before it refuses them.
    if (wanted.codes !== undefined) expect(wanted.codes).toContain(now.code);
    return now;
  }, 30_000);
  if (rotated === 'in the fault') await eventually(() => expect(files.seen.last).toBe(scene.number));
  await one.recovers?.(scene);
  await one.during?.(scene);
  const recoveredMs = performance.now() - fromMs;
  if (mode === 'full') await pause(Math.max(0, FAULT_MS - recoveredMs));
  else if (wanted.codes !== undefined) {
    await eventually(() => expect(failures(scene, fromMs)).toBeGreaterThanOrEqual(wanted.met ?? MET));
  }
  if (rotated === 'after it') {
    const inApi = wanted.output === 'failed' ? scene.number : before;
    expect([files.seen.last, api.seen.last]).toEqual([before, inApi]);
  }
  const stillTold = await scene.told(wanted.of);
  expect(stillTold.ready).toBe(wanted.ready ?? true);

  const healedMs = performance.now();
  await one.heal(scene);
  if (scene.number === before && rotated !== 'no value comes') await scene.rotate();
  await eventually(async () => {
    expect([files.seen.last, api.seen.last]).toEqual([scene.number, scene.number]);
    expect(await scene.told(wanted.of)).toMatchObject({
      secret: 'fresh',
      output: 'settled',
      code: undefined,
      ready: true,
    });
  }, FRESH_WITHIN_MS);
  const freshMs = (rotated === 'after it' ? files.firstSeenMs(scene.number) : undefined) ?? performance.now();
  if (mode === 'full') await pause(AFTER_MS);

  const seconds = (healedMs - fromMs) / 1_000;
  const inFault = requests(scene, fromMs, healedMs);
  const afterwards = requests(scene, healedMs, performance.now());
  const peak = peakPerSecond(inFault);
  const { peak: maxPeak = 8, peakAfter = 12, peakMiB, filesGo = false } = wanted;
  expect(peak, 'requests in the busiest second of the fault').toBeLessThanOrEqual(maxPeak);
  expect(peakPerSecond(afterwards), 'requests in the busiest second after it').toBeLessThanOrEqual(peakAfter);
  for (const [name, { seen }] of Object.entries({ files, api })) {
    const clean = { missing: 0, mixed: 0, broken: 0, back: 0 };
    const { missing: _, ...others } = clean;
    expect(seen, name).toMatchObject(filesGo && name === 'files' ? others : clean);
    expect(seen.reads, name).toBeGreaterThan(0);
  }
  if (peakMiB !== undefined) expect(peakResidentMiB(agent.pid)).toBeLessThanOrEqual(peakMiB);
  expect(agent.facts('task-crashed')).toEqual([]);
  await one.check?.(scene);
  expect(await agent.stop()).toBe(0);
  return {
    id: one.id,
    status: statusText(told),
    readers: readersText(scene, rotated, filesGo),
    asked: `${rate(inFault.length, seconds)}/s, ${peak} in the busiest second`,
    recovery: `${peakPerSecond(afterwards)} in the busiest second`,
    fresh:
      one.recovers !== undefined
        ? `${(recoveredMs / 1_000).toFixed(1)} s, in the fault`
        : rotated === 'in the fault' && wanted.secret === 'fresh'
          ? 'all the time'
          : `${((freshMs - healedMs) / 1_000).toFixed(1)} s`,
  };
}

/** A server that the fault took away takes no value: it gets one when it is back. */
async function rotateIfAnswering(scene: Scene): Promise<void> {
  await scene.rotate().catch(() => undefined);
}

type Wanted = FaultCase['expect'];

const whatIsWanted = ({ secret = 'stale', output = 'settled', ready = true }: Wanted) => ({ secret, output, ready });

function failures({ agent }: Scene, fromMs: number): number {
  const kinds = ['secret-failed', 'login-failed', 'output-failed', 'login-renew-failed'];
  return agent.lines().filter((line) => kinds.includes(line.fact) && agent.arrivedMs(line) >= fromMs).length;
}

/** When the agent's requests to the backend ended, answered or not. */
function requests({ agent }: Scene, fromMs: number, toMs: number): readonly number[] {
  return agent
    .lines()
    .filter(({ fact }) => fact === 'backend-answered' || fact === 'backend-failed')
    .map((line) => agent.arrivedMs(line))
    .filter((ms) => ms >= fromMs && ms < toMs);
}

/** The most of these moments that fall within one second. */
export function peakPerSecond(times: readonly number[]): number {
  const sorted = times.toSorted((a, b) => a - b);
  return Math.max(0, ...sorted.map((start, at) => sorted.slice(at).filter((ms) => ms < start + 1_000).length));
}

export function peakResidentMiB(pid: number): number {
  const [, kiB] = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kiB) / 1_024;
}

const rate = (count: number, seconds: number) => (count / Math.max(seconds, 0.001)).toFixed(1);

function statusText({ secret, output, code, ready }: Told): string {
  const states = output === 'settled' ? secret : `${secret}, output ${output}`;
  return [states, code === undefined ? '' : `\`${code}\``, ready ? 'ready' : 'not ready'].filter(Boolean).join(', ');
}

function readersText({ files }: Scene, rotated: string, filesGo: boolean): string {
  if (filesGo) return `the directory was gone for ${files.seen.missing} looks, the API had the value`;
  if (rotated === 'in the fault') return 'the new value, in the fault';
  return rotated === 'after it' ? 'the last value, then the new one' : 'the last value';
}
