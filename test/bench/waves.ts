/**
 * Whether polls come evenly: processor time and requests of each second while unchanged secrets are polled, and after
 * all of them have changed at once. `node test/bench/waves.ts`, with `--secrets 1000 --refresh 30 --seconds 120`.
 */
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startWorld } from '../servers/index.ts';
import { type Work, writePannier } from './contenders.ts';
import { activityOf } from './proc.ts';
import { createStage, pause, putSecrets, quantile } from './resident.ts';

const { values: options } = parseArgs({
  options: {
    secrets: { type: 'string', default: '1000' },
    refresh: { type: 'string', default: '30' },
    seconds: { type: 'string', default: '120' },
    inOutput: { type: 'string' },
  },
});
const [COUNT, REFRESH_S, SECONDS] = [Number(options.secrets), Number(options.refresh), Number(options.seconds)];

/** How much of the audit log was read, and how many requests it had: two lines each, the other one for the answer. */
const audit = { offset: 0, requests: 0 };

await using world = await startWorld();
await using stage = await createStage();
const names = await putSecrets(world, COUNT);
const work: Work = { address: world.bao.address, tokenFile: world.tokenFile, dir: stage.dir, secrets: names };
const inOutput = options.inOutput === undefined ? undefined : Number(options.inOutput);
const agent = await stage.pannier(await writePannier(work, { refresh: `${REFRESH_S}s`, inOutput }));
await agent.published(COUNT);
await pause(REFRESH_S * 1_200); // each secret was polled once

await look('unchanged');
for (const [at, name] of names.entries()) await world.putSecret(name, { password: `other-${at}` });
await pause(REFRESH_S * 1_200); // and is polled from then on
await look('after all have changed');

async function look(title: string): Promise<void> {
  const seconds: { readonly cpuMs: number; readonly requests: number }[] = [];
  let [cpu, requests] = [(await activityOf(agent.pid)).cpuMs, await requestsSoFar()];
  const startedMs = performance.now();
  for (let at = 1; at <= SECONDS; at++) {
    await pause(startedMs + at * 1_000 - performance.now());
    const [cpuNow, requestsNow] = [(await activityOf(agent.pid)).cpuMs, await requestsSoFar()];
    seconds.push({ cpuMs: cpuNow - cpu, requests: requestsNow - requests });
    [cpu, requests] = [cpuNow, requestsNow];
  }
  console.log(`${title}:`);
  for (const key of ['cpuMs', 'requests'] as const) {
    const all = seconds.map((one) => one[key]);
    const [least, middle, most] = [0, 0.5, 1].map((share) => quantile(all, share).toFixed(1));
    console.log(`  ${key} a second: ${least} to ${most}, in the middle ${middle}`);
    console.log(`  ${all.map((one) => Math.round(one)).join(' ')}`);
  }
}

async function requestsSoFar(): Promise<number> {
  for await (const part of createReadStream(join(world.bao.dir, 'audit.log'), { start: audit.offset })) {
    audit.offset += (part as Buffer).length;
    for (const byte of part as Buffer) if (byte === 10) audit.requests += 0.5;
  }
  return audit.requests;
}
