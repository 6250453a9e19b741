/**
 * `pannier init` beside `bao agent`: wall time and peak memory of the same start, from the same server, with the same
 * login, in turns. With `--quick` fewer turns, with `--full` 5,000 secrets as well.
 */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startWorld, type World } from '../servers/index.ts';
import { baoAgent, bareProgram, type Contender, pannier } from './contenders.ts';
import { CONNECTION_GOAL, GOALS, type Goal, MANY_OUTPUTS, requestGoal } from './goals.ts';
import { inTurns, type Result, summarise } from './in-turns.ts';
import { machine, type Row, tell } from './report.ts';
import { putSecrets } from './resident.ts';
import { type Stopwatch, startStopwatch } from './stopwatch.ts';

const { values: options } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, full: { type: 'boolean', default: false } },
});

/** Counted turns, by number of secrets. */
const TURNS: ReadonlyMap<number, number> = new Map([
  [1, options.quick ? 5 : 21],
  [10, options.quick ? 5 : 21],
  [100, options.quick ? 5 : 11],
  [1_000, options.quick ? 1 : 5],
  ...(options.full ? [[5_000, options.quick ? 1 : 3] as const] : []),
]);

/** The number of secrets whose requests are counted. */
const COUNTED = 100;

const started = machine();
const dir = await mkdtemp('/dev/shm/pannier-bench-');
try {
  await using world = await startWorld();
  using watch = startStopwatch();
  const names = await putSecrets(world, Math.max(...TURNS.keys()));
  const rows: Row[] = [];
  const results: Record<string, unknown> = {};

  const floor = await alone(watch, 'node', [process.execPath, '-e', '0']);
  const curl = await alone(watch, 'curl', ['/bin/sh', '-c', curlScript(world)]);
  Object.assign(results, { 'node -e 0': floor, curl });
  rows.push(
    { work: 'node -e 0, wall', unit: 'ms', floor: floor.median.wallMs },
    { work: 'node -e 0, peak', unit: 'MiB', floor: floor.median.peakMiB },
    { work: 'a login and a read with curl, wall', unit: 'ms', floor: curl.median.wallMs },
  );

  for (const [count, turns] of TURNS) {
    const { address } = world.bao;
    const work = { address, tokenFile: world.tokenFile, dir, secrets: names.slice(0, count) };
    const contenders = [await baoAgent(work), await pannier(work), await bareProgram(work)];
    const [bao, ours, bare] = (await inTurns(watch, contenders, turns)) as [Result, Result, Result];
    results[`${count} secrets`] = { baoAgent: bao, pannier: ours, bareNode: bare };
    const secrets = count === 1 ? '1 secret' : `${count.toLocaleString('en')} secrets`;
    rows.push(...rowsOf(secrets, GOALS.get(count) ?? {}, bao, ours, bare));
    if (count !== COUNTED) continue;
    const [baoAsked, oursAsked] = (await inSequence(contenders.slice(0, 2), (one) => asked(world, watch, one))) as [
      Asked,
      Asked,
    ];
    results['asked'] = { secrets: count, baoAgent: baoAsked, pannier: oursAsked };
    rows.push(...askedRows(count, baoAsked, oursAsked));
  }

  {
    const { outputs } = MANY_OUTPUTS;
    const { address } = world.bao;
    const apart = await mkdtemp(join(dir, 'apart-'));
    const work = { address, tokenFile: world.tokenFile, dir: apart, secrets: names.slice(0, outputs) };
    const contenders = [await baoAgent(work), await pannier(work, { inOutput: 1 })];
    const [bao, ours] = (await inTurns(watch, contenders, TURNS.get(outputs) ?? 1)) as [Result, Result];
    results[`${outputs} outputs`] = { baoAgent: bao, pannier: ours };
    rows.push(...rowsOf(`${outputs} outputs of one secret`, MANY_OUTPUTS, bao, ours));
  }

  const how =
    'Medians of alternating runs, each from nothing published to the end of the process; the floor is a Node program that does nothing else.';
  await tell({ group: 'init', rows, how, quick: options.quick, details: results }, started);
} finally {
  await rm(dir, { recursive: true, force: true });
}

/** A command that nothing is measured against in turns: below `node -e 0` no program that runs on Node can come. */
async function alone(watch: Stopwatch, name: string, argv: readonly string[]): Promise<Result> {
  const order = { argv, env: { PATH: '/usr/bin:/bin' }, log: join(dir, `${name}.log`) };
  const turns = Array.from({ length: options.quick ? 5 : 21 });
  return summarise(await inSequence(turns, () => watch.measure(order)));
}

/** What people write who want no agent. */
function curlScript({ bao: { address }, tokenFile }: World): string {
  const login = JSON.stringify({ role: 'shop', jwt: readFileSync(tokenFile, 'utf8') });
  const token = `curl -sf -d '${login}' ${address}/v1/auth/kubernetes/login | sed 's/.*"client_token":"\\([^"]*\\)".*/\\1/'`;
  return `curl -sf -H "X-Vault-Token: $(${token})" ${address}/v1/secret/data/shop/s0001`;
}

function rowsOf(work: string, { wall, peak }: Goal, bao: Result, ours: Result, bare?: Result): Row[] {
  const row = (what: string, unit: Row['unit'], key: 'wallMs' | 'cpuMs' | 'peakMiB', share?: number): Row => ({
    work: `${work}, ${what}`,
    unit,
    baoAgent: bao.median[key],
    pannier: ours.median[key],
    ...(bare === undefined ? {} : { floor: bare.median[key] }),
    ...(share === undefined ? {} : { goal: { share } }),
  });
  return [row('wall', 'ms', 'wallMs', wall), row('CPU', 'ms', 'cpuMs'), row('peak', 'MiB', 'peakMiB', peak)];
}

/** What one start asked of the server. */
interface Asked {
  readonly requests: number;
  readonly connections: number;
}

async function asked(world: World, watch: Stopwatch, { clear, order }: Contender): Promise<Asked> {
  const before = (await world.bao.requests()).length;
  await clear();
  await watch.measure(order);
  const made = (await world.bao.requests()).slice(before);
  return { requests: made.length, connections: new Set(made.map(({ remotePort }) => remotePort)).size };
}

function askedRows(count: number, bao: Asked, ours: Asked): Row[] {
  const work = `${count} secrets`;
  const [requests, connections] = [requestGoal(count), CONNECTION_GOAL].map((atMost) => ({ atMost }));
  return [
    { work: `${work}, requests`, unit: '', baoAgent: bao.requests, pannier: ours.requests, goal: requests },
    { work: `${work}, connections`, unit: '', baoAgent: bao.connections, pannier: ours.connections, goal: connections },
  ] as Row[];
}

async function inSequence<One, Answer>(all: readonly One[], act: (one: One) => Promise<Answer>): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (const one of all) answers.push(await act(one));
  return answers;
}
