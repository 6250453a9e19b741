/**
 * How long after the end of the child of `exec` its credentials are refused, with `revokeOnExit`, against a real
 * OpenBao and PostgreSQL:
 *
 *   npm run bench:exit                    100 runs
 *   npm run bench:exit -- --runs 20
 *
 * In each run the child has a database user, and the agent a token of its own that reads KV. The child is killed; both
 * credentials are used again and again, each by a client that begins the next try when the last one is answered. The
 * time counts from the kill to the answer that refuses, so it holds the last try as well. `server` is what the server
 * alone takes for the database user, asked by this program without a child and without an agent: it is part of the time
 * of `database`. It ends with status 1 when the median of `token`, or of `database` without that of `server`, is above
 * 100 ms.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startWorld } from '../servers/index.ts';
import { createPlace, eventually, startAgent } from '../system/agent.helpers.ts';

const { values } = parseArgs({ options: { runs: { type: 'string', default: '100' } } });
const runs = Number(values.runs);
const GOAL_MS = 100;

await using world = await startWorld({ database: true });
await using place = await createPlace();
await world.putSecret('app', { password: 'x' });
const taken: Record<'token' | 'database' | 'exec' | 'server', number[]> = {
  token: [],
  database: [],
  exec: [],
  server: [],
};

for (let run = 0; run < runs; run++) await measure(run);
const share = (all: readonly number[], of: number) =>
  [...all].sort((a, b) => a - b)[Math.min(all.length - 1, Math.ceil(all.length * of) - 1)] ?? Number.NaN;
for (const [what, all] of Object.entries(taken)) {
  const [p50, p99, most] = [share(all, 0.5), share(all, 0.99), Math.max(...all)].map((ms) => ms.toFixed(1));
  console.log(`${what.padEnd(10)} p50 ${p50} ms, p99 ${p99} ms, longest ${most} ms (${all.length} runs)`);
}
const own = share(taken.database, 0.5) - share(taken.server, 0.5);
if (Math.max(share(taken.token, 0.5), own) > GOAL_MS) process.exitCode = 1;

async function measure(run: number): Promise<void> {
  const { auth } = await world.bao.api('POST', 'auth/token/create', { policies: ['shop'], ttl: '1h' });
  const token = String(auth.client_token);
  const file = join(place.dir, `child-${run}`);
  const config = await place.config({
    backends: {
      bao: { kind: 'vault', address: world.bao.address, auth: { method: 'token', token, revokeOnExit: true } },
    },
    secrets: { db: { read: 'database/creds/shop' }, app: { kv: 'secret/shop/app' } },
    exec: {
      command: ['sh', '-c', 'echo "$$ $DBUSER $DBPASSWORD $APP" > "$0.tmp"; mv "$0.tmp" "$0"; exec sleep 600', file],
      env: { DBUSER: '{{db.username}}', DBPASSWORD: '{{db.password}}', APP: '{{app.password}}' },
    },
  });
  const agent = startAgent(['exec', '-c', config]);
  const [pid = '', user = '', password = ''] = await eventually(() => readFileSync(file, 'utf8').split(' '));
  const uses = {
    token: () =>
      world.bao.api('GET', 'secret/data/shop/app', undefined, { token }).then(
        () => true,
        () => false,
      ),
    database: () => world.postgres.canLogin(user, password),
  };
  if (!(await uses.token()) || !(await uses.database())) throw new Error('a credential is refused too early');
  const begun = performance.now();
  process.kill(Number(pid), 'SIGKILL');
  const refused = (['token', 'database'] as const).map(async (what) => {
    while (await uses[what]()) if (performance.now() - begun > 10_000) throw new Error(`${what} was not refused`);
    taken[what].push(performance.now() - begun);
  });
  const status = await agent.ended;
  taken.exec.push(performance.now() - begun);
  await Promise.all(refused);
  if (status !== 137) throw new Error(`exec ended with ${status}:\n${agent.output()}`);
  const { lease_id } = await world.bao.api('GET', 'database/creds/shop');
  const asked = performance.now();
  await world.bao.api('PUT', 'sys/leases/revoke', { lease_id, sync: true });
  taken.server.push(performance.now() - asked);
}
