/** SIGKILL, again and again: of the agent, of the child of exec, of a reload command. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'vitest';
import { type Agent, createPlace, eventually, startAgent } from '../../system/agent.helpers.ts';
import type { Figures, Mode, PlayedCase } from '../case.ts';
import { startFaultProxy } from '../fault-proxy.ts';
import { readFiles, readFilesOf, valueNumber } from '../reader.ts';
import type { SharedServers } from '../scene.ts';

const group = 'Kills';
const on = 'OpenBao';
const KILLS = { short: 10, full: 200 } as const;
const REFRESH = '200ms';

async function setUp(id: string, shared: SharedServers, parts: (dir: string) => object) {
  const stack = new AsyncDisposableStack();
  const place = stack.use(await createPlace());
  const world = await shared.world();
  const proxy = stack.use(await startFaultProxy(world.bao.address));
  let number = 0;
  const rotate = async () => {
    await world.putSecret(id, { value: valueNumber(number + 1) });
    return ++number;
  };
  await rotate();
  const auth = { method: 'kubernetes', role: 'shop', tokenFile: world.tokenFile };
  const config = await place.config({
    backends: { bao: { kind: 'vault', address: proxy.address, auth } },
    secrets: { app: { kv: `secret/shop/${id}`, refresh: REFRESH } },
    ...parts(place.dir),
  });
  return { stack, dir: place.dir, proxy, rotate, config };
}

const linesOf = (file: string) => (existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : []);

/** At any moment: while the agent starts, publishes, or rests. */
async function killAgents(mode: Mode, shared: SharedServers): Promise<Omit<Figures, 'id'>> {
  const parts = (dir: string) => ({ outputs: { shop: { dir: join(dir, 'out'), files: readFilesOf() } } });
  const { stack, dir, proxy, rotate, config } = await setUp('kill-agent', shared, parts);
  await using _ = stack;
  const out = join(dir, 'out');
  const first = startAgent(['run', '-c', config]);
  await first.waitFor('output-published');
  const files = stack.use(readFiles(out, 1));
  let agent: Agent = first;
  stack.defer(async () => void (await agent.stop()));
  let number = 1;
  const began = proxy.asked();
  for (let kill = 0; kill < KILLS[mode]; kill++) {
    number = await rotate();
    // Each second one is at work by then, the others may have just begun.
    if (kill % 2 === 0) await eventually(() => expect(files.seen.last).toBe(number));
    await pause(Math.random() * 400);
    agent.kill('SIGKILL');
    await agent.ended;
    agent = startAgent(['run', '-c', config]);
  }
  await eventually(() => expect(files.seen.last).toBe(number), 30_000);
  const asked = proxy.asked() - began;
  expect(files.seen).toMatchObject({ missing: 0, mixed: 0, broken: 0, back: 0 });
  // A login, the mount and the secret, and a few polls of those that lived long enough.
  expect(asked).toBeLessThanOrEqual(12 * KILLS[mode]);
  const generations = readdirSync(out).filter((name) => name.startsWith('..g'));
  expect(generations.length).toBeLessThanOrEqual(12);
  return {
    status: 'starts anew',
    readers: 'whole files, in each of the looks',
    asked: `${(asked / KILLS[mode]).toFixed(1)} a start`,
    recovery: '–',
    fresh: 'with the next start',
  };
}

async function killChildren(mode: Mode, shared: SharedServers): Promise<Omit<Figures, 'id'>> {
  const exec = { env: { VALUE: '{{app.value}}' }, onExit: 'restart', quiet: '10ms' };
  const { stack, dir, proxy, rotate, config } = await setUp('kill-child', shared, () => ({ exec }));
  await using _ = stack;
  const starts = join(dir, 'starts');
  const script = `echo "$$ $VALUE" >> ${starts}; exec sleep 1000`;
  const agent = startAgent(['exec', '-c', config, '--', 'sh', '-c', script]);
  stack.defer(async () => void (await agent.stop()));
  const began = proxy.asked();
  const beganMs = performance.now();
  for (let kill = 0, number = 1; kill < KILLS[mode]; kill++) {
    const pid = await eventually(() => {
      const line = linesOf(starts).findLast((one) => one.endsWith(` ${valueNumber(number)}`));
      if (line === undefined) throw new Error(`no child with value ${number}`);
      return Number.parseInt(line, 10);
    });
    process.kill(pid, 'SIGKILL');
    number = await rotate();
  }
  const seconds = (performance.now() - beganMs) / 1_000;
  expect(agent.facts('task-crashed')).toEqual([]);
  return {
    status: 'the child starts again',
    readers: 'each child has the newest value, whole',
    asked: `${((proxy.asked() - began) / seconds).toFixed(1)}/s`,
    recovery: '–',
    fresh: 'new values end the pause before the next start',
  };
}

async function killReloads(mode: Mode, shared: SharedServers): Promise<Omit<Figures, 'id'>> {
  const parts = (dir: string) => {
    const script = `echo "$$" >> ${dir}/began; sleep 0.1; cat ${dir}/out/a >> ${dir}/done; echo >> ${dir}/done`;
    const reload = [{ command: { argv: ['/bin/sh', '-c', script] } }];
    return { outputs: { shop: { dir: join(dir, 'out'), files: readFilesOf(), reload } } };
  };
  const { stack, dir, proxy, rotate, config } = await setUp('kill-reload', shared, parts);
  await using _ = stack;
  const agent = startAgent(['run', '-c', config]);
  stack.defer(async () => void (await agent.stop()));
  await agent.waitFor('output-published');
  const files = stack.use(readFiles(join(dir, 'out')));
  const began = proxy.asked();
  const beganMs = performance.now();
  for (let kill = 1; kill <= KILLS[mode]; kill++) {
    const before = linesOf(join(dir, 'began')).length;
    await rotate();
    const pid = await eventually(() => {
      const lines = linesOf(join(dir, 'began'));
      if (lines.length <= before) throw new Error('no reload yet');
      return Number(lines.at(-1));
    });
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended in time: this reload is done.
    }
  }
  const number = await rotate();
  await eventually(() => expect(linesOf(join(dir, 'done')).at(-1)).toBe(valueNumber(number)));
  const seconds = (performance.now() - beganMs) / 1_000;
  expect(files.seen).toMatchObject({ missing: 0, mixed: 0, broken: 0, back: 0, last: number });
  expect(agent.facts('reload-failed').length).toBeGreaterThan(0);
  // A reload that fails causes no fetch: there are the polls, and no more.
  expect((proxy.asked() - began) / seconds).toBeLessThanOrEqual(8);
  return {
    status: 'settled after the last one',
    readers: 'whole files; the application takes the last value up',
    asked: `${((proxy.asked() - began) / seconds).toFixed(1)}/s`,
    recovery: '–',
    fresh: 'with the next reload',
  };
}

export const KILLED: readonly PlayedCase[] = [
  { id: 'kill-agent', group, fault: '200 SIGKILLs of the agent, at any moment', on, play: killAgents },
  { id: 'kill-child', group, fault: '200 SIGKILLs of the child of exec', on, play: killChildren },
  { id: 'kill-reload', group, fault: '200 SIGKILLs of the reload command', on, play: killReloads },
];
