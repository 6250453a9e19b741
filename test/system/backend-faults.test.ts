import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Answerer, halfBody, hang, reply, reset } from '../faults/fault-server.ts';
import { eventually, type LogLine } from './agent.helpers.ts';
import { type FaultyVault, password, refusal, startFaultyVault } from './faulty-vault.helpers.ts';
import { failuresOf, published, useScene } from './openbao.helpers.ts';

const scene = useScene();

/** A configuration with a backend, a secret and an output of each name. */
async function setUp<Name extends string>(names: readonly Name[]) {
  const place = await scene.place();
  const tokenFile = join(place.dir, 'token');
  await writeFile(tokenFile, 's.good\n');
  const started = names.map(async (name) => [name, scene.keep(await startFaultyVault())] as const);
  const vaults = Object.fromEntries(await Promise.all(started)) as Record<Name, FaultyVault>;
  const auth = { method: 'token', tokenFile };
  const all = <Thing>(make: (name: Name) => Thing) => Object.fromEntries(names.map((name) => [name, make(name)]));
  const config = await place.config({
    backends: all((name) => ({ kind: 'vault', address: vaults[name].address, timeout: '400ms', auth })),
    secrets: all((name) => ({ backend: name, read: 'x/app', refresh: '100ms' })),
    outputs: all((name) => ({ dir: join(place.dir, name), files: { password: { content: `{{${name}.password}}` } } })),
  });
  return { vaults, dir: place.dir, config };
}

interface Fault {
  readonly name: string;
  readonly answer: Answerer;
  readonly code: string;
  readonly status: number;
  readonly seen: RegExp;
  readonly hint: RegExp;
}

const FAULTS: readonly Fault[] = [
  {
    name: 'html',
    answer: reply(200, '<html><body>Sign in</body></html>', { 'Content-Type': 'text/html' }),
    code: 'BACKEND_MALFORMED',
    status: 1,
    seen: /HTTP 200 from .* is a web page/,
    hint: /address names a server/,
  },
  {
    name: 'other_api',
    answer: reply(200, '{"status":"ok"}'),
    code: 'SECRET_EMPTY',
    status: 1,
    seen: /holds no data/,
    hint: /path/,
  },
  {
    name: 'half_body',
    answer: halfBody,
    code: 'BACKEND_UNREACHABLE',
    status: 3,
    seen: /connection was closed in the middle of an answer from/,
    hint: /network/,
  },
  { name: 'reset', answer: reset, code: 'BACKEND_UNREACHABLE', status: 3, seen: /closed at/, hint: /network/ },
  {
    name: 'hang',
    answer: hang,
    code: 'BACKEND_TIMEOUT',
    status: 3,
    seen: /no whole answer within 400 ms from/,
    hint: /raise timeout/,
  },
  {
    name: 'error',
    answer: refusal(500),
    code: 'BACKEND_UNAVAILABLE',
    status: 3,
    seen: /HTTP 500 from/,
    hint: /health/,
  },
  {
    name: 'sealed',
    answer: refusal(503, ['Vault is sealed']),
    code: 'BACKEND_UNAVAILABLE',
    status: 3,
    seen: /HTTP 503 from .* \(Vault is sealed\)/,
    hint: /Unseal the server/,
  },
  {
    name: 'throttled',
    answer: refusal(429),
    code: 'BACKEND_THROTTLED',
    status: 3,
    seen: /HTTP 429 from/,
    hint: /quotas/,
  },
  ...[412, 472, 473].map((status) => ({
    name: `status_${status}`,
    answer: refusal(status),
    code: 'BACKEND_NOT_READY',
    status: 3,
    seen: new RegExp(`HTTP ${status} from`),
    hint: /by itself/,
  })),
];

describe('backends that answer badly', () => {
  it('leave the files of each in place; run reports each fault, retries with pauses, and recovers', async () => {
    const { vaults, dir, config } = await setUp(FAULTS.map(({ name }) => name));
    const agent = scene.run(config);
    await agent.waitFor('output-published', { count: FAULTS.length });
    for (const { name, answer } of FAULTS) vaults[name]?.secret(answer);
    for (const fault of FAULTS) {
      const own = ({ secrets }: LogLine) => String(secrets) === fault.name;
      const stale = await agent.waitFor('secret-state', { fits: own });
      expect(stale).toMatchObject({ state: 'stale', reason: fault.code });
      const failed = await agent.waitFor('secret-failed', { fits: own, count: 3 });
      expect(failed).toMatchObject({ code: fault.code, place: `secrets.${fault.name}.read` });
      expect(failed['seen']).toMatch(fault.seen);
      expect(failed['hint']).toMatch(fault.hint);
      const failures = agent.facts('secret-failed').filter(own);
      for (const { retryInMs } of failures) expect(retryInMs).toBeGreaterThanOrEqual(250);
    }
    const asked = FAULTS.map(({ name }) => vaults[name]?.asked() ?? 0);
    const failures = agent.facts('secret-failed').length;
    // There is a failure for each request, except for those that run now and for one whose kept connection was reset.
    await agent.waitFor('secret-failed', { count: failures + FAULTS.length });
    const more = FAULTS.map(({ name }, index) => (vaults[name]?.asked() ?? 0) - (asked[index] ?? 0));
    const failed = agent.facts('secret-failed').length - failures;
    expect(more.reduce((sum, one) => sum + one)).toBeLessThanOrEqual(failed + 2 * FAULTS.length);
    for (const { name } of FAULTS) expect(published(join(dir, name)), name).toEqual({ password: 'one' });

    for (const vault of Object.values(vaults)) vault.secret(password('two'));
    await agent.waitFor('output-published', { count: 2 * FAULTS.length });
    for (const { name } of FAULTS) expect(published(join(dir, name)), name).toEqual({ password: 'two' });
    expect(await agent.stop()).toBe(0);
  });

  it('are retried by init until its deadline if that may help, which ends with 3; the files stay', async () => {
    const retried = FAULTS.filter(({ status }) => status === 3);
    await Promise.all(
      retried.map(async (fault) => {
        const { vaults, dir, config } = await setUp([fault.name]);
        expect((await scene.init(config)).status).toBe(0);
        vaults[fault.name]?.secret(fault.answer);
        const agent = await scene.init(config, '1500ms');
        const [first, ...others] = failuresOf(agent);
        const place = `secrets.${fault.name}.read`;
        expect([agent.status, first?.code, first?.place, others], fault.name).toEqual([3, fault.code, place, []]);
        expect(first?.seen).toMatch(fault.seen);
        expect(first?.seen).toContain(vaults[fault.name]?.address);
        expect(published(join(dir, fault.name))).toEqual({ password: 'one' });
      }),
    );
  });
});

describe('waiting as the backend asks', () => {
  it('lasts as long as Retry-After says, without requests meanwhile', async () => {
    const { vaults, dir, config } = await setUp(['app']);
    const agent = scene.run(config);
    await agent.waitFor('output-published');
    vaults.app.secret(refusal(429, [], { 'Retry-After': '2' }));
    const { retryInMs } = await agent.waitFor('secret-failed');
    expect(retryInMs).toBeGreaterThanOrEqual(2_000);
    vaults.app.secret(password('two'));
    const asked = vaults.app.asked();
    const began = performance.now();
    await agent.waitFor('output-published', { count: 2 });
    expect(performance.now() - began).toBeGreaterThan(1_500);
    expect(vaults.app.asked()).toBeGreaterThan(asked);
    expect(published(join(dir, 'app'))).toEqual({ password: 'two' });
  });

  it('init succeeds when the backend comes back before the deadline', async () => {
    const { vaults, dir, config } = await setUp(['app']);
    vaults.app.secret(refusal(503, ['Vault is sealed']));
    const agent = scene.startInit(config, '1h');
    await agent.waitFor('secret-failed', { count: 2 });
    vaults.app.secret(password('back'));
    expect(await agent.ended).toBe(0);
    expect(published(join(dir, 'app'))).toEqual({ password: 'back' });
  });

  it('a hanging backend holds up neither a stop nor the other requests', async () => {
    const { vaults, config } = await setUp(['app']);
    vaults.app.secret(hang);
    const agent = scene.run(config);
    await eventually(() => expect(vaults.app.asked()).toBe(1));
    expect(await agent.stop()).toBe(0);
  });
});
