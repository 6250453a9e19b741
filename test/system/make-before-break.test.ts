import { execFileSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Agent, eventually, runAgent } from './agent.helpers.ts';
import { baoOf, published, useScene, useWorld } from './openbao.helpers.ts';

const scene = useScene();
const world = useWorld({ database: true, databaseTtl: '2s', databaseMaxTtl: '10m' });

interface SetUp {
  readonly secret?: object;
  readonly output?: { readonly within?: string; readonly check?: object };
}

type Credential = readonly [user: string, password: string];

/** When `unwell` is there, it holds the only user that the application is well with. */
const VERIFY = '[ ! -e "$1" ] || cmp -s "$1" "$2"';

/** An output with a database user, whose application is asked after each reload. */
async function setUp({ secret = {}, output: { within = '200ms', ...output } = {} }: SetUp = {}) {
  const place = await scene.place();
  const dir = join(place.dir, 'o');
  const socket = join(place.dir, 'api.sock');
  const unwell = join(place.dir, 'unwell');
  const config = await place.config({
    log: { level: 'debug' },
    backends: { bao: baoOf(world()) },
    secrets: { db: { read: 'database/creds/shop', ...secret } },
    outputs: {
      o: {
        dir,
        files: { f: { content: '{{db.username}} {{db.password}}' } },
        verify: { command: { argv: ['sh', '-c', VERIFY, 'verify', unwell, join(dir, 'f')] }, within },
        ...output,
      },
    },
    api: { listeners: [{ socket }] },
  });
  const agent = scene.run(config);
  await agent.waitFor('output-published');
  const now = (): Credential => (published(dir)?.['f'] ?? '').split(' ') as unknown as Credential;
  /** Has another user made, as a rotation does. */
  const rotate = () => {
    const url = 'http://localhost/v1/secrets/db/refresh';
    execFileSync('curl', ['-sS', '--unix-socket', socket, '-XPOST', url]);
  };
  const ask = (...args: string[]) => runAgent([...args, '--socket', socket]);
  return {
    agent,
    now,
    rotate,
    ask,
    sicken: () => writeFileSync(unwell, now().join(' ')),
    heal: () => rmSync(unwell),
    place,
  };
}

const works = ([user, password]: Credential) => world().postgres.canLogin(user, password);
const revocations = (agent: Agent) => agent.facts('secret-revoked').length;

describe('a database user that is replaced', () => {
  it('is dropped when the application works with the next one, and not before', async () => {
    const { agent, now, rotate, sicken, heal } = await setUp({
      secret: { revokeOld: { after: '0s' } },
      output: { within: '60s' },
    });
    const first = now();
    expect(await works(first)).toBe(true);
    sicken();
    rotate();
    await agent.waitFor('output-published', { count: 2 });
    // Longer than both leases live without a renewal, the application is not yet well with the next user.
    await agent.waitFor('secret-renewed', { count: agent.facts('secret-renewed').length + 4 });
    expect([await works(first), await works(now()), revocations(agent)]).toEqual([true, true, 0]);
    heal();
    await agent.waitFor('secret-revoked');
    const order = agent.lines().map(({ fact, generation }) => `${fact} ${generation ?? ''}`.trim());
    expect(order.indexOf('secret-revoked')).toBeGreaterThan(order.indexOf('reload-done 2'));
    expect([await works(first), await works(now())]).toEqual([false, true]);
    expect(await agent.stop()).toBe(0);
  });

  it('lives on past its own end while the output is rolled back to it, and is dropped after the mend', async () => {
    const { agent, now, rotate, sicken, heal, ask } = await setUp({ secret: { revokeOld: { after: '0s' } } });
    const first = now();
    sicken();
    rotate();
    await agent.waitFor('reload-done', { fits: ({ generation }) => generation === 3 });
    expect(now()).toEqual(first);
    const renewals = agent.facts('secret-renewed').length;
    // Without a renewal both leases end after two seconds.
    await agent.waitFor('secret-renewed', { count: renewals + 3 });
    expect([await works(first), revocations(agent)]).toEqual([true, 0]);
    heal();
    expect((await ask('resume', 'o')).status).toBe(0);
    await agent.waitFor('secret-revoked');
    expect(now()).not.toEqual(first);
    expect([await works(first), await works(now())]).toEqual([false, true]);
    expect(await agent.stop()).toBe(0);
  });

  it('lives on while the candidate with the next one fails its check, also without revokeOld', async () => {
    const gate = join((await scene.place()).dir, 'closed');
    const check = { command: { argv: ['test', '!', '-e', gate] } };
    const { agent, now, rotate } = await setUp({ output: { check } });
    const first = now();
    writeFileSync(gate, '');
    rotate();
    await agent.waitFor('output-failed');
    const renewals = agent.facts('secret-renewed').length;
    await agent.waitFor('secret-renewed', { count: renewals + 3 });
    expect([now(), await works(first)]).toEqual([first, true]);
    rmSync(gate);
    await agent.waitFor('output-published', { count: 2, withinMs: 30_000 });
    expect(existsSync(gate)).toBe(false);
    expect(await works(now())).toBe(true);
    // Nobody revokes it, and nobody renews it any more.
    await eventually(async () => expect(await works(first)).toBe(false));
    expect(revocations(agent)).toBe(0);
    expect(await agent.stop()).toBe(0);
  }, 60_000);
});
