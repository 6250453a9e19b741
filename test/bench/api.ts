/**
 * Local reads per second over a unix socket: the API beside `bao agent`'s proxy and beside a bare `node:http` server
 * that answers the same bytes, in turns, each asked by the same client. And what the agent weighs after ten thousand
 * reads and after a million. `npm run bench:api`, with `-- --quick` for fewer and shorter turns.
 *
 * The client is a process of its own and needs about as much of the machine as what it asks, so on two cores the ratio
 * tells more than the numbers; the CPU time of each server for one answer tells most.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { ensureOpenBao, startWorld } from '../servers/index.ts';
import { machine, type Row, tell } from './report.ts';

const { values: options } = parseArgs({ options: { quick: { type: 'boolean', default: false } } });

const CONNECTIONS = 16;
const TURNS = options.quick ? 2 : 5;
const TURN_MS = options.quick ? 1_500 : 4_000;
/** What `bao agent`'s proxy answers, times this. */
const GOAL = 20;
const FEW = 10_000;
const MANY = options.quick ? 100_000 : 1_000_000;
/** Linux counts CPU time in hundredths of a second. */
const TICK_US = 10_000;

interface Server {
  readonly name: string;
  readonly pid: number;
  readonly socket: string;
  readonly path: string;
}

interface Turn {
  readonly perSecond: number;
  readonly cpuUs: number;
}

const started = machine();
const dir = await mkdtemp('/dev/shm/pannier-bench-');
const children: ChildProcess[] = [];
try {
  await using world = await startWorld();
  await world.putSecret('app', { username: 'shop', password: 'x'.repeat(32) });
  const agentSocket = join(dir, 'api.sock');
  const config = join(dir, 'pannier.json');
  await writeFile(
    config,
    JSON.stringify({
      version: 1,
      backends: {
        bao: {
          kind: 'vault',
          address: world.bao.address,
          auth: { method: 'kubernetes', role: 'shop', tokenFile: world.tokenFile },
        },
      },
      secrets: { app: { kv: 'secret/shop/app' } },
      api: { socket: agentSocket },
    }),
  );
  const pannier = start([process.execPath, resolve('dist/pannier.js'), 'run', '-c', config]);
  await until(async () => (await load(agentSocket, '/v1/secrets/app', 1, 50)).answers > 0);

  const proxySocket = join(dir, 'bao.sock');
  const hcl = join(dir, 'agent.hcl');
  await writeFile(
    hcl,
    `vault { address = "${world.bao.address}" }
auto_auth {
  method "kubernetes" {
    config = { role = "shop", token_path = "${world.tokenFile}" }
  }
}
api_proxy { use_auto_auth_token = true }
listener "unix" {
  address = "${proxySocket}"
  tls_disable = true
}
`,
  );
  const bao = start([await ensureOpenBao(), 'agent', `-config=${hcl}`]);
  const kv = '/v1/secret/data/shop/app';
  await until(async () => (await load(proxySocket, kv, 1, 50)).answers > 0);

  const bareSocket = join(dir, 'bare.sock');
  const body = JSON.stringify({ name: 'app', version: '1', fields: { username: 'shop', password: 'x'.repeat(32) } });
  const program = `import http from 'node:http';
    const body = ${JSON.stringify(`${body}\n`)};
    http.createServer((_, answer) => {
      answer.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) });
      answer.end(body);
    }).listen(${JSON.stringify(bareSocket)});`;
  const bare = start([process.execPath, '--input-type=module', '--eval', program]);
  await until(() => stat(bareSocket));

  const servers: readonly Server[] = [
    { name: 'bao agent, proxy', pid: bao, socket: proxySocket, path: kv },
    { name: 'pannier, secret', pid: pannier, socket: agentSocket, path: '/v1/secrets/app' },
    { name: 'pannier, field', pid: pannier, socket: agentSocket, path: '/v1/secrets/app/password' },
    { name: 'bare node:http', pid: bare, socket: bareSocket, path: '/' },
  ];
  const turns = new Map<string, Turn[]>(servers.map(({ name }) => [name, []]));
  for (let turn = 0; turn <= TURNS; turn++) {
    for (const server of servers) {
      const taken = await measure(server);
      if (turn > 0) turns.get(server.name)?.push(taken); // the first warms all of them up
    }
  }
  const weights: number[] = [];
  let reads = 0;
  for (const count of [FEW, MANY]) {
    for (; reads < count; ) reads += (await load(agentSocket, '/v1/secrets/app', CONNECTIONS, 1_000)).answers;
    weights.push(await residentMiB(pannier));
  }
  await report(turns, weights);
} finally {
  for (const child of children) child.kill('SIGKILL');
  await rm(dir, { recursive: true, force: true });
}

function start([program = '', ...args]: readonly string[]): number {
  const child = spawn(program, args, { stdio: 'ignore', env: { PATH: '/usr/bin:/bin', HOME: dir } });
  children.push(child);
  return child.pid ?? -1;
}

async function measure({ pid, socket, path }: Server): Promise<Turn> {
  const before = await cpuTicks(pid);
  const { answers, ms } = await load(socket, path, CONNECTIONS, TURN_MS);
  const ticks = (await cpuTicks(pid)) - before;
  return { perSecond: (answers / ms) * 1_000, cpuUs: (ticks * TICK_US) / answers };
}

async function load(socket: string, path: string, connections: number, ms: number) {
  const args = [resolve('test/bench/load.ts'), socket, path, String(connections), String(ms)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout) as { readonly answers: number; readonly ms: number };
}

/** User and system time of a process, proc_pid_stat(5). */
async function cpuTicks(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return Number(fields[14 - 3]) + Number(fields[15 - 3]);
}

async function residentMiB(pid: number): Promise<number> {
  const [, kiB] = /^VmRSS:\s+(\d+) kB/m.exec(await readFile(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kiB) / 1024;
}

async function until(holds: () => Promise<unknown>): Promise<void> {
  const end = performance.now() + 20_000;
  for (;;) {
    try {
      if ((await holds()) !== false) return;
    } catch (error) {
      if (performance.now() > end) throw error;
    }
    await new Promise((wait) => setTimeout(wait, 50));
  }
}

async function report(turns: ReadonlyMap<string, readonly Turn[]>, [few = 0, many = 0]: readonly number[]) {
  const of = (name: string, key: keyof Turn) => median((turns.get(name) ?? []).map((turn) => turn[key]));
  const [bao, bare] = ['bao agent, proxy', 'bare node:http'];
  const readRows = (what: string, name: string): Row[] => [
    {
      work: `local reads of ${what}`,
      unit: '/s',
      baoAgent: of(bao, 'perSecond'),
      pannier: of(name, 'perSecond'),
      floor: of(bare, 'perSecond'),
      goal: { times: GOAL },
    },
    {
      work: `local reads of ${what}, CPU for one`,
      unit: 'us',
      baoAgent: of(bao, 'cpuUs'),
      pannier: of(name, 'cpuUs'),
      floor: of(bare, 'cpuUs'),
    },
  ];
  const rows: Row[] = [
    ...readRows('a secret', 'pannier, secret'),
    ...readRows('a field', 'pannier, field'),
    { work: `resident after ${FEW.toLocaleString('en')} reads`, unit: 'MiB', pannier: few },
    { work: `resident after ${MANY.toLocaleString('en')} reads`, unit: 'MiB', pannier: many },
  ];
  const how = `Medians of ${TURNS} turns of ${TURN_MS} ms over ${CONNECTIONS} connections of a unix socket; bao agent answers with its proxy, the floor is a bare node:http server that answers the same bytes. The client takes as much of the machine as the server.`;
  await tell({ group: 'api', rows, how, quick: options.quick, details: Object.fromEntries(turns) }, started);
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}
