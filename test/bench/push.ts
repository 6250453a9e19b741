/**
 * Measures push on a real OpenBao: how soon a file has what was written, how many reads are left at rest, and whether a
 * change is missed when the feed dies. Prints one table, and ends with status 1 when a goal is missed. Words behind it
 * choose parts: auditFile, relay, faults, idle.
 */
import { copyFile, readFile, rename, truncate } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Agent } from '../system/agent.helpers.ts';
import { type PushScene, startPushScene } from '../system/push.helpers.ts';

const WRITES = 200;
const GOAL_MS = 250;
const GOAL_SHARE = 0.05;
const quiet = { log: { level: 'info' } };

const rows: { readonly what: string; readonly measured: string; readonly goal: string; readonly isMet: boolean }[] = [];
const note = (what: string, measured: string, goal: string, isMet: boolean) => {
  rows.push({ what, measured, goal, isMet });
  console.error(`${isMet ? 'ok  ' : 'MISS'} ${what}: ${measured} (goal: ${goal})`);
};

const relayEvents = ({ relayPort }: PushScene) => ({
  url: `http://127.0.0.1:${relayPort}`,
  tokenFile: './relay-token',
});

/** From a write's first byte to the file that has its value. */
async function measureLatency(how: 'auditFile' | 'relay'): Promise<void> {
  await using scene = await startPushScene(10);
  if (how === 'relay') await scene.startRelay();
  const events = how === 'relay' ? relayEvents(scene) : { auditFile: scene.auditFile };
  const agent = await scene.startAgent(events, quiet);
  await agent.waitFor('feed-up');
  await pause(1_000);
  const took: number[] = [];
  for (let i = 0; i < WRITES; i++) {
    const key = `k${i % 10}`;
    const [, ms] = await Promise.all([scene.write(key, `v${i}`), scene.sees(key, `v${i}`)]);
    took.push(ms);
    await pause(50);
  }
  took.sort((a, b) => a - b);
  const at = (share: number) => took[Math.min(took.length - 1, Math.floor(took.length * share))] as number;
  const measured = `p50 ${at(0.5).toFixed(0)} ms, p99 ${at(0.99).toFixed(0)} ms, longest ${at(1).toFixed(0)} ms`;
  note(`write to file, ${how}, ${WRITES} writes`, measured, `p99 below ${GOAL_MS} ms`, at(0.99) < GOAL_MS);
}

/** Reads of secrets in so many seconds, with intervals of seconds in the same proportion as those of the defaults. */
async function measureIdle(): Promise<void> {
  const [refresh, poll, seconds, count] = ['2s', '48s', 96, 50];
  const secrets = Object.fromEntries(
    Array.from({ length: count }, (_, i) => [`k${i}`, { kv: `secret/shop/k${i}`, refresh }]),
  );
  const reads = async (isPushed: boolean): Promise<number> => {
    await using scene = await startPushScene(count);
    const events = isPushed ? { auditFile: scene.auditFile, poll } : undefined;
    const agent = await scene.startAgent(events, { ...quiet, secrets });
    if (isPushed) await agent.waitFor('feed-up');
    await pause(5_000); // each secret is read once when the feed begins
    const readsSoFar = async () => (await readFile(scene.auditFile, 'utf8')).split('\n').filter(isRead).length;
    const before = await readsSoFar();
    await pause(seconds * 1_000);
    return (await readsSoFar()) - before;
  };
  const [polled, pushed] = await Promise.all([reads(false), reads(true)]);
  const share = pushed / polled;
  const cut = `${((1 - share) * 100).toFixed(1)} %`;
  note(
    `reads at rest, ${count} secrets, ${seconds} s`,
    `${polled} became ${pushed}: ${cut} fewer`,
    '95 % fewer',
    share <= GOAL_SHARE,
  );
}

const isRead = (line: string): boolean =>
  line.includes('"type":"response"') && line.includes('"operation":"read"') && line.includes('"path":"secret/data/');

/** What happens to the feed while 20 secrets are written; `heal` ends it. */
interface Fault {
  readonly name: string;
  begin(scene: PushScene, relay: Agent): Promise<void>;
  heal(scene: PushScene, relay: Agent): Promise<Agent>;
}

const stays = async (_: PushScene, relay: Agent): Promise<Agent> => relay;
const killed: Fault = {
  name: 'relay killed',
  async begin(_, relay) {
    relay.kill('SIGKILL');
    await relay.ended;
  },
  heal: (scene) => scene.startRelay(),
};
const FAULTS: readonly Fault[] = [
  { name: 'none', begin: async () => {}, heal: stays },
  killed,
  {
    name: 'log renamed, server told later',
    begin: ({ auditFile }) => rename(auditFile, `${auditFile}.${Date.now()}`),
    async heal({ bao }, relay) {
      process.kill(bao.pid, 'SIGHUP');
      return relay;
    },
  },
  {
    name: 'log copied and cut',
    async begin({ auditFile }) {
      await copyFile(auditFile, `${auditFile}.copy`);
      await truncate(auditFile, 0);
    },
    heal: stays,
  },
  {
    name: 'partition of 35 s',
    async begin(_, relay) {
      relay.kill('SIGSTOP');
      await pause(30_000);
    },
    async heal(_, relay) {
      await pause(5_000);
      relay.kill('SIGCONT');
      return relay;
    },
  },
];

/** 200 changes, 20 in each of ten faults; each must be seen before its secret is written again. */
async function measureFaults(): Promise<void> {
  const count = 20;
  await using scene = await startPushScene(count);
  let relay = await scene.startRelay();
  const secrets = Object.fromEntries(
    Array.from({ length: count }, (_, i) => [`k${i}`, { kv: `secret/shop/k${i}`, refresh: '5m' }]),
  );
  const agent = await scene.startAgent(relayEvents(scene), { ...quiet, secrets });
  await agent.waitFor('feed-up');
  let seen = 0;
  let longest = 0;
  for (const [round, fault] of [...FAULTS, ...FAULTS].entries()) {
    await pause(7_000); // each change is read once more five seconds later, which must not hide a miss
    await fault.begin(scene, relay);
    const keys = Array.from({ length: count }, (_, i) => `k${i}`);
    for (const key of keys) await scene.write(key, `round ${round}`);
    relay = await fault.heal(scene, relay);
    const took = await Promise.all(
      keys.map((key) => scene.sees(key, `round ${round}`, 90_000).catch(() => Number.POSITIVE_INFINITY)),
    );
    seen += took.filter(Number.isFinite).length;
    longest = Math.max(longest, ...took);
    console.error(`     ${fault.name}: longest ${(Math.max(...took) / 1000).toFixed(1)} s`);
  }
  const all = count * FAULTS.length * 2;
  const measured = `${seen} of ${all} seen, longest ${(longest / 1000).toFixed(1)} s after the fault`;
  note('changes while the feed dies, refresh 5m', measured, `${all} seen`, seen === all);
}

const parts: Readonly<Record<string, () => Promise<void>>> = {
  auditFile: () => measureLatency('auditFile'),
  relay: () => measureLatency('relay'),
  faults: measureFaults,
  idle: measureIdle,
};
const { positionals } = parseArgs({ allowPositionals: true });
for (const [name, measure] of Object.entries(parts)) {
  if (positionals.length === 0 || positionals.includes(name)) await measure();
}
console.log('| what | measured | goal |\n| --- | --- | --- |');
for (const { what, measured, goal } of rows) console.log(`| ${what} | ${measured} | ${goal} |`);
if (rows.some(({ isMet }) => !isMet)) process.exitCode = 1;
