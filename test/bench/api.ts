/**
 * Local reads per second: the API beside `bao agent`'s proxy and beside a bare `node:http` server that answers with the
 * same value, in turns, each asked by the same client. Over a unix socket the client is `load.ts`; over TCP, with a
 * token, it is `wrk`. And what the agent weighs after ten thousand reads and after a million. `npm run bench:api`, with
 * `-- --quick` for fewer and shorter turns.
 *
 * The client is a process of its own and needs about as much of the machine as what it asks, so on two cores the ratio
 * tells more than the numbers; the CPU time of each server for one answer tells most.
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

const CONNECTIONS = 16;
const TURNS = options.quick ? 2 : 5;
const TURN_MS = options.quick ? 1_500 : 4_000;
const FEW = 10_000;
const MANY = options.quick ? 100_000 : 1_000_000;
const TOKEN = 't'.repeat(64);
const KV = '/v1/secret/data/shop/app';
const FIELDS = { username: 'shop', password: 'x'.repeat(32) };

/** The same work done by `bao agent`, by Pannier and by the floor. */
interface Asked {
  readonly bao: Served;
  readonly ours: Served;
  readonly bare: Served;
}

/** What a row asks of Pannier: times the rate of `bao agent`; the share of the floor's rate and processor time. */
interface Goals {
  readonly rate: number;
  readonly ofRate?: number;
  readonly ofCost?: number;
}

const started = machine();
const dir = await mkdtemp('/dev/shm/pannier-bench-');
const at = (name: string) => join(dir, name);
try {
  await using world = await startWorld();
  using programs = new Programs(dir);
  await world.putSecret('app', FIELDS);
  const ports = { bao: await findFreePort(), ours: await findFreePort(), bare: await findFreePort() };
  const overUnix = (socket: string, path: string) => (ms: number) => askSocket(at(socket), path, CONNECTIONS, ms);
  const overTcp = (port: number, path: string) => (ms: number) =>
    wrk(`http://127.0.0.1:${port}${path}`, { 'X-Pannier-Token': TOKEN }, CONNECTIONS, ms);
  const start = async (name: string, argv: readonly string[], path: string) =>
    await programs.start(name, argv, async () => {
      if ((await askSocket(at(`${name}.sock`), path, 1, 50)).answers === 0) throw new Error('no answer');
    });
  const bao = await start('bao', await baoAgent(world, ports.bao), KV);
  const ours = await start('ours', await pannier(world, ports.ours), '/v1/secrets/app');
  const bare = await start('bare', bareServer(ports.bare), '/');

  const ofSecret: Asked = {
    bao: served('bao agent, proxy', bao, overUnix('bao.sock', KV)),
    ours: served('pannier, secret', ours, overUnix('ours.sock', '/v1/secrets/app')),
    bare: served('bare node:http', bare, overUnix('bare.sock', '/')),
  };
  const ofField: Asked = {
    ...ofSecret,
    ours: served('pannier, field', ours, overUnix('ours.sock', '/v1/secrets/app/password')),
  };
  const all = [ofSecret.bao, ofSecret.ours, ofField.ours, ofSecret.bare];
  await takeTurns(all, TURNS, TURN_MS);
  const rows = [
    ...rowsOf('local reads of a secret', ofSecret, { rate: 35, ofCost: 1.4 }),
    ...rowsOf('local reads of a field', ofField, { rate: 20 }),
  ];
  if (await hasWrk()) {
    const withToken: Asked = {
      bao: served('bao agent, proxy, TCP', bao, overTcp(ports.bao, KV)),
      ours: served('pannier, secret, TCP', ours, overTcp(ports.ours, '/v1/secrets/app')),
      bare: served('bare node:http, TCP', bare, overTcp(ports.bare, '/')),
    };
    all.push(withToken.bao, withToken.ours, withToken.bare);
    await takeTurns([withToken.bao, withToken.ours, withToken.bare], TURNS, TURN_MS);
    rows.push(...rowsOf('reads over TCP with a token', withToken, { rate: 14, ofRate: 0.65, ofCost: 1.5 }));
  } else console.error(WRK_MISSING);

  for (const [count, reached] of [
    [FEW, 0],
    [MANY, FEW],
  ] as const) {
    for (let reads = reached; reads < count; ) {
      reads += (await askSocket(at('ours.sock'), '/v1/secrets/app', CONNECTIONS, 1_000)).answers;
    }
    const work = `resident after ${count.toLocaleString('en')} reads`;
    rows.push({ work, unit: 'MiB', pannier: await residentMiB(ours) });
  }
  const how = `Medians of ${TURNS} turns of ${TURN_MS} ms over ${CONNECTIONS} connections, of a unix socket where nothing else is said; those over TCP are asked by wrk. bao agent answers with its proxy; the floor is a bare node:http server that answers with the same value, over TCP after it compared the token. The client takes as much of the machine as the server.`;
  await tell({ group: 'api', rows, how, quick: options.quick, details: detailsOf(all) }, started);
} finally {
  await rm(dir, { recursive: true, force: true });
}

async function pannier(world: World, port: number): Promise<readonly string[]> {
  await writeFile(at('token'), `${TOKEN}\n`, { mode: 0o600 });
  const text = {
    version: 1,
    backends: {
      bao: {
        kind: 'vault',
        address: world.bao.address,
        auth: { method: 'kubernetes', role: 'shop', tokenFile: world.tokenFile },
      },
    },
    secrets: { app: { kv: 'secret/shop/app' } },
    api: { listeners: [{ socket: at('ours.sock') }, { listen: `127.0.0.1:${port}`, tokenFile: at('token') }] },
  };
  await writeFile(at('pannier.json'), JSON.stringify(text));
  return [process.execPath, resolve('dist/pannier.js'), 'run', '-c', at('pannier.json')];
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
listener "unix" {
  address = "${at('bao.sock')}"
  tls_disable = true
}
listener "tcp" {
  address = "127.0.0.1:${port}"
  tls_disable = true
}
`,
  );
  return [await ensureOpenBao(), 'agent', `-config=${at('agent.hcl')}`];
}

function bareServer(port: number): readonly string[] {
  const body = `${JSON.stringify({ name: 'app', version: '1', fields: FIELDS })}\n`;
  return [process.execPath, join(import.meta.dirname, 'bare-server.mjs'), at('bare.sock'), String(port), body, TOKEN];
}

function rowsOf(work: string, { bao, ours, bare }: Asked, { rate, ofRate, ofCost }: Goals): Row[] {
  const figures = (of: (server: Served) => number) => ({ baoAgent: of(bao), pannier: of(ours), floor: of(bare) });
  const beside = (what: string, of: (server: Served) => number, goal: Row['goal']): Row[] =>
    goal === undefined ? [] : [{ work: `${work}, ${what}`, unit: 'x', pannier: of(ours) / of(bare), goal }];
  return [
    { work, unit: '/s', ...figures(rateOf), goal: { times: rate } },
    { work: `${work}, CPU for one`, unit: 'us', ...figures(costOf) },
    ...beside("of the floor's rate", rateOf, ofRate === undefined ? undefined : { atLeast: ofRate }),
    ...beside("of the floor's CPU for one", costOf, ofCost === undefined ? undefined : { atMost: ofCost }),
  ];
}
