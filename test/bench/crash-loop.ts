/**
 * Counts what inits leave on a real OpenBao when they end in every way that a crash loop has.
 * `npm run bench:crash-loop`, or `-- 300` for 300 inits of each kind instead of 600. At most four run at once.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startWorld } from '../servers/index.ts';
import { startAgent } from '../system/agent.helpers.ts';
import { baoOf } from '../system/openbao.helpers.ts';

const COUNT = Number(process.argv[2] ?? 600);
const AT_ONCE = 4;

type Ending = 'done' | 'fails' | 'is killed';

interface Kind {
  readonly inline: 'auto' | 'off';
  readonly ending: Ending;
  readonly leased?: true;
}

const KINDS: readonly Kind[] = [
  { inline: 'auto', ending: 'done' },
  { inline: 'auto', ending: 'fails' },
  { inline: 'auto', ending: 'is killed' },
  { inline: 'off', ending: 'fails', leased: true },
  { inline: 'off', ending: 'is killed', leased: true },
];

await using world = await startWorld({ database: true });
const dir = await mkdtemp(join(tmpdir(), 'pannier-crash-loop-'));
await world.putSecret('app', { password: 'x' });

const keys = (path: string): Promise<number> =>
  world.bao
    .api<{ keys: string[] }>('LIST', path)
    .then(({ data }) => data.keys.length)
    .catch(() => 0);
const left = async () => [await keys('auth/token/accessors'), await keys('sys/leases/lookup/database/creds/shop')];

/** Runs an init. It is killed at the worst moment, when it has just logged in, or at a moment of its own. */
async function once(config: string, { ending, inline }: Kind, number: number): Promise<number> {
  const init = startAgent(['init', '-c', config, '--timeout', '20s']);
  if (ending === 'is killed') {
    await (inline === 'off' ? init.waitFor('login-made') : sleep(60 + ((number * 37) % 340)));
    init.kill('SIGKILL');
  }
  return await init.ended;
}

console.log('| inits | inline | each | tokens left | leases left |\n| --- | --- | --- | --- | --- |');
try {
  for (const [at, kind] of KINDS.entries()) {
    const { inline, ending, leased } = kind;
    const config = join(dir, `${at}.json`);
    const secrets = {
      app: { kv: 'secret/shop/app' },
      ...(leased ? { db: { read: 'database/creds/shop' } } : {}),
      ...(ending === 'fails' ? { none: { kv: 'secret/shop/none' } } : {}),
    };
    const files = Object.fromEntries(Object.keys(secrets).map((name) => [name, { format: 'json', from: name }]));
    const outputs = { shop: { dir: join(dir, `out-${at}`), files } };
    const backends = { bao: baoOf(world, { inline }) };
    await writeFile(config, JSON.stringify({ version: 1, log: { level: 'info' }, backends, secrets, outputs }));
    const before = await left();
    let next = 0;
    const statuses = new Map<number, number>();
    const worker = async () => {
      while (next < COUNT) {
        const status = await once(config, kind, next++);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    await sleep(1_000); // a request of a killed init may still be under way
    const after = await left();
    const [tokens, leases] = after.map((count, one) => count - (before[one] ?? 0));
    const ended = [...statuses].map(([status, count]) => `${count} × ${status}`).join(', ');
    const what = `${ending}${leased ? ', with a lease' : ''} (status: ${ended})`;
    console.log(`| ${COUNT} | ${inline} | ${what} | ${tokens} | ${leases} |`);
  }
} finally {
  await rm(dir, { recursive: true, force: true });
}
