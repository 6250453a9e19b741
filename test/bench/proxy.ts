/**
 * The proxy beside that of `bao agent`: KV reads a second over 16 connections, passed on to one OpenBao and answered
 * from the cache, in turns. Over a unix socket the client is `load.ts`, over TCP it is `wrk`. `npm run bench:proxy`,
 * with `-- --quick` for fewer and shorter turns.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureOpenBao, findFreePort, startWorld, type World } from '../servers/index.ts';
import { residentMiB } from './proc.ts';
import { machine, type Row, tell } from './report.ts';
import { askSocket, costOf, detailsOf, Programs, rateOf, type Served, served, takeTurns } from './served.ts';
import { hasWrk, WRK_MISSING, wrk } from './wrk.ts';

const { values: options } = parseArgs({ options: { quick: { type: 'boolean', default: false } } });
const TURNS = options.quick ? 3 : 9;
const TURN_MS = options.quick ? 1_000 : 3_000;
const CONNECTIONS = 16;
const PATH = '/v1/secret/data/shop/app';

const started = machine();
const dir = await mkdtemp('/dev/shm/pannier-bench-');
const at = (name: string) => join(dir, name);
try {
  await using world = await startWorld({ openBao: { unix: true } });
  using programs = new Programs(dir);
  await world.putSecret('app', { username: 'shop', password: 'x'.repeat(24) });
  const ports = { bao: await findFreePort(), ours: await findFreePort() };
  const start = async (name: string, argv: readonly string[]) => {
    const ask = (ms: number, connections = CONNECTIONS) => askSocket(at(`${name}.sock`), PATH, connections, ms);
    const pid = await programs.start(name, argv, async () => {
      if ((await ask(50, 1)).answers === 0) throw new Error('no answer');
    });
    return served(name, pid, ask);
  };
  const bao = await start('bao-agent', await baoAgent(world, ports.bao));
  const forwarded = await start('forwarded', await pannier(world, 'forwarded', { listen: `127.0.0.1:${ports.ours}` }));
  const cached = await start('cached', await pannier(world, 'cached', { cache: { staticKv: { maxStale: '1h' } } }));
  const all = [bao, forwarded, cached];
  await takeTurns(all, TURNS, TURN_MS);
  const rows: Row[] = [
    rate('reads passed on', bao, forwarded, 1),
    rate('reads from the cache', bao, cached, 10),
    cost('processor for one passed on', bao, forwarded),
    cost('processor for one from the cache', bao, cached),
  ];
  if (await hasWrk()) {
    const overTcp = ({ name, pid }: Served, port: number) =>
      served(`${name}, TCP`, pid, (ms) =>
        wrk(`http://127.0.0.1:${port}${PATH}`, { 'X-Vault-Request': 'true' }, CONNECTIONS, ms),
      );
    const pair = [overTcp(bao, ports.bao), overTcp(forwarded, ports.ours)] as const;
    await takeTurns(pair, TURNS, TURN_MS);
    rows.push(rate('reads passed on over TCP', ...pair, 1.3), cost('processor for one over TCP', ...pair, 0.5));
    all.push(...pair);
  } else console.error(WRK_MISSING);
  const resident = { baoAgent: await residentMiB(bao.pid), pannier: await residentMiB(cached.pid) };
  rows.push({ work: 'resident after them', unit: 'MiB', ...resident });
  const how = `Medians of ${TURNS} turns of ${TURN_MS} ms over ${CONNECTIONS} connections, of a unix socket where nothing else is said; those over TCP are asked by wrk.`;
  await tell({ group: 'proxy', rows, how, quick: options.quick, details: detailsOf(all) }, started);
} finally {
  await rm(dir, { recursive: true, force: true });
}

async function baoAgent(world: World, port: number): Promise<readonly string[]> {
  await writeFile(
    at('agent.hcl'),
    `vault { address = "${world.bao.address}" }
auto_auth {
  method "kubernetes" {
    config = { role = "shop", token_path = "${world.tokenFile}" }
  }
}
api_proxy { use_auto_auth_token = true }
cache {}
listener "unix" {
  address = "${at('bao-agent.sock')}"
  tls_disable = true
}
listener "tcp" {
  address = "127.0.0.1:${port}"
  tls_disable = true
}
`,
  );
  return [await ensureOpenBao(), 'agent', `-config=${at('agent.hcl')}`, '-log-level=warn'];
}

async function pannier(world: World, name: string, proxy: object): Promise<readonly string[]> {
  const auth = { method: 'kubernetes', role: 'shop', tokenFile: world.tokenFile };
  const text = {
    version: 1,
    log: { level: 'warn' },
    backends: { bao: { kind: 'vault', address: world.bao.address, auth } },
    proxy: { socket: at(`${name}.sock`), useAutoAuthToken: true, ...proxy },
  };
  await writeFile(at(`${name}.json`), JSON.stringify(text));
  return [process.execPath, resolve('dist/pannier.js'), 'run', '-c', at(`${name}.json`)];
}

function rate(work: string, bao: Served, ours: Served, times: number): Row {
  return { work, unit: '/s', baoAgent: rateOf(bao), pannier: rateOf(ours), goal: { times } };
}

/** @param share most that it may be of what `bao agent` takes; absent: there is no goal. */
function cost(work: string, bao: Served, ours: Served, share?: number): Row {
  const goal = share === undefined ? {} : { goal: { share } };
  return { work, unit: 'us', baoAgent: costOf(bao), pannier: costOf(ours), ...goal };
}
