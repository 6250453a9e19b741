import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { hang } from '../faults/fault-server.ts';
import { eventually } from './agent.helpers.ts';
import { password, refusal, startFaultyVault } from './faulty-vault.helpers.ts';
import { baoOf, failuresOf, published, useScene, useWorld } from './openbao.helpers.ts';

const scene = useScene();
const world = useWorld();

beforeAll(() => world().putSecret('app', { password: 'one' }));

const GOOD = { backend: 'bao', kv: 'secret/shop/app' };
const ABSENT = { backend: 'bao', kv: 'secret/shop/nothing' };
const DENIED = { backend: 'bao', kv: 'secret/other/app' };
const FAULTY = { backend: 'faulty', read: 'x/app' };

/** A configuration over OpenBao and a faulty server, with an output per secret. */
async function setUp(secrets: Readonly<Record<string, object>>) {
  const faulty = scene.keep(await startFaultyVault());
  const place = await scene.place();
  const tokenFile = join(place.dir, 'token');
  await writeFile(tokenFile, 's.good');
  const auth = { method: 'token', tokenFile };
  const outputOf = (name: string) => ({
    dir: join(place.dir, name),
    files: { password: { content: `{{${name}.password}}` } },
  });
  const config = await place.config({
    backends: { bao: baoOf(world()), faulty: { kind: 'vault', address: faulty.address, auth } },
    secrets,
    outputs: Object.fromEntries(Object.keys(secrets).map((name) => [name, outputOf(name)])),
  });
  return { faulty, dir: place.dir, config };
}

/** The accessor of the shop's last login. */
async function lastAccessor(): Promise<string | undefined> {
  return (await world().bao.requests()).findLast(({ path }) => path.startsWith('secret/'))?.accessor;
}

function lookUp(accessor: string | undefined): Promise<unknown> {
  return world().bao.api('POST', 'auth/token/lookup-accessor', { accessor });
}

describe('the end of init', () => {
  it('a definite answer ends init, but only when the others have answered', async () => {
    const { faulty, dir, config } = await setUp({ absent: ABSENT, slow: FAULTY });
    const { promise, resolve: release } = Promise.withResolvers<void>();
    faulty.secret((request, socket) => void promise.then(() => password('one')(request, socket)));
    const agent = scene.startInit(config, '1h');
    await agent.waitFor('secret-failed');
    await eventually(() => expect(faulty.asked()).toBe(1));
    expect(agent.stderr()).not.toContain('init:');
    release();
    expect(await agent.ended).toBe(1);
    expect(failuresOf(agent).map(({ code, place }) => [code, place])).toEqual([
      ['SECRET_NOT_FOUND', 'secrets.absent.kv'],
    ]);
    expect(published(join(dir, 'slow'))).toEqual({ password: 'one' });
  });

  it('with an answer that may change, init goes on to the deadline, and reports all that is wrong', async () => {
    const { faulty, config } = await setUp({ absent: ABSENT, sealed: FAULTY });
    faulty.secret(refusal(503, ['Vault is sealed']));
    const agent = await scene.init(config, '1500ms');
    expect(agent.facts('secret-failed').filter(({ place }) => place === 'secrets.sealed.read').length).toBeGreaterThan(
      1,
    );
    expect(failuresOf(agent).map(({ code }) => code)).toEqual(['SECRET_NOT_FOUND', 'BACKEND_UNAVAILABLE']);
    expect(agent.status).toBe(3);
  });

  it.each([
    { title: 'denied and down', secrets: { denied: DENIED, down: FAULTY }, status: 4 },
    { title: 'denied, absent and good', secrets: { denied: DENIED, absent: ABSENT, good: GOOD }, status: 4 },
    { title: 'absent and down', secrets: { absent: ABSENT, down: FAULTY }, status: 3 },
    { title: 'absent and good', secrets: { absent: ABSENT, good: GOOD }, status: 1 },
  ])('of several causes the most severe sets the exit status: $title is $status', async ({ secrets, status }) => {
    const { faulty, dir, config } = await setUp(secrets);
    faulty.secret(refusal(500));
    const agent = await scene.init(config, 'down' in secrets ? '1200ms' : '1h');
    expect(agent.status).toBe(status);
    expect(failuresOf(agent)).toHaveLength(Object.keys(secrets).length - ('good' in secrets ? 1 : 0));
    if ('good' in secrets) expect(published(join(dir, 'good'))).toEqual({ password: 'one' });
  });
});

describe('the login of an init', () => {
  it('is revoked when init failed, and kept when it succeeded', async () => {
    const failing = await setUp({ good: GOOD, absent: ABSENT });
    const failed = await scene.init(failing.config, '1h');
    expect([failed.status, failed.facts('login-revoked').length]).toEqual([1, 1]);
    const revoked = await lastAccessor();
    await expect(lookUp(revoked)).rejects.toThrow();

    const { config } = await setUp({ good: GOOD });
    const done = await scene.init(config);
    expect([done.status, done.facts('login-revoked').length]).toEqual([0, 0]);
    const kept = await lastAccessor();
    expect(kept).not.toBe(revoked);
    await lookUp(kept);
  });

  it.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const)('is revoked when %s ends init, with %i and without a failure', async (signal, status) => {
    const { faulty, dir, config } = await setUp({ good: GOOD, waiting: FAULTY });
    faulty.secret(hang);
    const agent = scene.startInit(config, '1h');
    await agent.waitFor('output-published');
    await eventually(() => expect(faulty.asked()).toBe(1));
    const accessor = await lastAccessor();
    await lookUp(accessor);
    agent.kill(signal);
    expect(await agent.ended).toBe(status);
    expect([failuresOf(agent), agent.facts('secret-failed')]).toEqual([[], []]);
    await expect(lookUp(accessor)).rejects.toThrow();
    expect(published(join(dir, 'good'))).toEqual({ password: 'one' });
  });
});
