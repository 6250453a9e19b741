import { describe, expect, it } from 'vitest';
import { failure } from '../../src/base/errors.ts';
import type { HeldValue } from '../../src/lease/snapshot.ts';
import { createHealthRoutes } from '../../src/observe/health-routes.ts';
import { HealthWatch } from '../../src/observe/health-watch.ts';
import { ask, listen } from '../deliver/http/listener.helpers.ts';
import { type ObservedWorld, observedWorld } from './observed.helpers.ts';

const places = (watch: HealthWatch, check: 'startup' | 'ready' | 'live') =>
  watch.check(check).problems.map(({ place }) => place);
const refused = failure('BACKEND_UNREACHABLE', 'backends.bao.auth', 'connection refused');

function settle(world: ObservedWorld, name: string): void {
  world.outputs.set(name, { kind: 'settled', generation: 1 });
  world.progress();
}

describe('the health of an agent', () => {
  it('does not depend on names that clients of sds have chosen', () => {
    const world = observedWorld();
    world.configure({ secrets: ['app'] });
    world.fresh('app');
    const why = failure('SECRET_DENIED', 'sds.onDemand.certificate', 'refused');
    world.certificate('sds a.shop.svc', 0, 1);
    const held = world.entries.get('sds a.shop.svc') as HeldValue;
    world.entries.set('sds a.shop.svc', { ...held, state: 'expired', why });
    using watch = new HealthWatch(world.agent);
    expect(watch.check('ready').problems).toEqual([]);
  });

  it('the start is over when each output was published once, and stays over', () => {
    const world = observedWorld();
    world.configure({ outputs: ['a', 'b'] });
    using watch = new HealthWatch(world.agent);
    expect(places(watch, 'startup')).toEqual(['outputs.a', 'outputs.b']);
    settle(world, 'a');
    world.outputs.set('a', { kind: 'failed', why: refused });
    settle(world, 'b');
    expect(places(watch, 'startup')).toEqual([]);
    world.configure({ outputs: ['a', 'b', 'c'], secrets: ['app'] });
    world.outputs.set('b', { kind: 'failed', why: refused });
    expect(places(watch, 'startup')).toEqual([]);
    expect(places(watch, 'ready')).toContain('outputs.c');
  });

  it('is live and not ready before the first configuration is in place', () => {
    const world = observedWorld();
    world.state.isApplied = false;
    using watch = new HealthWatch(world.agent);
    expect((['startup', 'ready', 'live'] as const).map((check) => places(watch, check))).toEqual([
      ['configuration'],
      ['configuration'],
      [],
    ]);
    world.state.isApplied = true;
    expect(places(watch, 'startup')).toEqual([]);
  });

  it('is not ready while there is no login to lend to the clients of the proxy', () => {
    const world = observedWorld();
    using watch = new HealthWatch(world.agent);
    const ready = () => watch.check('ready').problems.map(({ code, place }) => `${code} ${place}`);
    world.configure({ proxy: { useAutoAuthToken: false } });
    expect(ready()).toEqual([]);
    world.configure({ proxy: { useAutoAuthToken: true } });
    expect(ready()).toEqual(['AUTH_UNUSABLE backends.bao.auth']);
    world.troubles.set('bao', refused);
    expect(ready()).toEqual(['BACKEND_UNREACHABLE backends.bao.auth']);
    expect(places(watch, 'startup')).toEqual([]);
    const live = {
      method: 'jwt',
      state: 'live',
      isUsable: true,
      endsMonoMs: undefined,
      nextMonoMs: undefined,
    } as const;
    world.logins.set('bao', live);
    expect(ready()).toEqual([]);
  });

  it('without outputs the start is over when the secrets that are served have had a value', () => {
    const world = observedWorld();
    world.configure({ secrets: ['app'] });
    using watch = new HealthWatch(world.agent);
    expect(places(watch, 'startup')).toEqual(['secrets.app']);
    world.fresh('app');
    expect(places(watch, 'startup')).toEqual([]);
    world.entries.delete('app');
    expect([places(watch, 'startup'), places(watch, 'ready')]).toEqual([[], ['secrets.app']]);
  });

  it('a backend that fails again and again is live, and one that does not answer is not', async () => {
    const world = observedWorld();
    world.configure({ secrets: ['app'] });
    using watch = new HealthWatch(world.agent);
    world.attempts.set('bao', 0);
    for (let minute = 0; minute < 10; minute++) {
      await world.clock.advance(60_000);
      const retryInMs = 30_000;
      world.emit({ kind: 'login-failed', backend: 'bao', method: 'jwt', failure: refused, retryInMs });
      expect(places(watch, 'live')).toEqual([]);
    }
    await world.clock.advance(100_000);
    expect(places(watch, 'live')).toEqual([]);
    await world.clock.advance(11_000);
    expect(places(watch, 'live')).toEqual(['backends.bao']);
  });

  it('a backend without requests is live by what becomes of its secrets', async () => {
    const world = observedWorld();
    world.configure({ secrets: ['app'] });
    using watch = new HealthWatch(world.agent);
    world.attempts.set('bao', 0);
    await world.clock.advance(70_000);
    world.emit({ kind: 'secret-unchanged', secrets: ['app'] });
    await world.clock.advance(70_000);
    expect(places(watch, 'live')).toEqual([]);
    await world.clock.advance(20_000);
    expect(places(watch, 'live')).toEqual(['backends.bao']);
  });

  it('late deadlines, a late output and a late login are reported with their places', async () => {
    const world = observedWorld();
    world.configure({});
    using watch = new HealthWatch(world.agent);
    world.state.lateMs = 20_000;
    world.due.set('shop', 10_000);
    world.logins.set('bao', { method: 'jwt', state: 'live', isUsable: true, endsMonoMs: 1e9, nextMonoMs: 5_000 });
    await world.clock.advance(70_000);
    expect(places(watch, 'live')).toEqual(['secrets', 'backends.bao.auth', 'outputs.shop']);
  });

  it('leaves no listener and no timer behind', () => {
    const world = observedWorld();
    new HealthWatch(world.agent)[Symbol.dispose]();
    expect([world.listening(), world.clock.waiting]).toEqual([0, 0]);
  });
});

describe('the routes of health', () => {
  it('answer 503 with the problems and 200 without, HEAD too', async () => {
    const world = observedWorld();
    world.configure({ outputs: ['shop'] });
    using watch = new HealthWatch(world.agent);
    const { path } = await listen(createHealthRoutes(watch));
    const before = await ask(path, '/readyz');
    expect([before.status, before.headers['content-type']]).toEqual([503, 'application/json']);
    expect(JSON.parse(before.body)).toEqual({
      check: 'ready',
      status: 'failing',
      problems: [
        {
          code: 'OUTPUT_WAITING',
          place: 'outputs.shop',
          seen: 'the output is not rendered yet',
          hint: 'See the state of its secrets.',
        },
      ],
      warnings: [],
    });
    expect(await ask(path, '/startupz', 'HEAD')).toMatchObject({ status: 503, body: '' });
    settle(world, 'shop');
    expect(JSON.parse((await ask(path, '/readyz')).body)).toMatchObject({ status: 'ok', problems: [] });
    for (const check of ['/startupz', '/livez']) expect((await ask(path, check, 'HEAD')).status).toBe(200);
    expect((await ask(path, '/readyz', 'POST')).status).toBe(405);
  });

  it('list twenty problems at most, and say how many more there are', async () => {
    const world = observedWorld();
    world.configure({ secrets: Array.from({ length: 10_000 }, (_, i) => `s${i}`) });
    using watch = new HealthWatch(world.agent);
    const { path } = await listen(createHealthRoutes(watch));
    const { problems, moreProblems } = JSON.parse((await ask(path, '/readyz')).body);
    expect([problems.length, moreProblems]).toEqual([20, 9_980]);
  });

  it('are answered when all connections are taken', async () => {
    const world = observedWorld();
    using watch = new HealthWatch(world.agent);
    const { dial } = await import('../deliver/http/listener.helpers.ts');
    const { path } = await listen(createHealthRoutes(watch), { maxConnections: 2 });
    const taken = [await dial(path), await dial(path), await dial(path)];
    expect((await ask(path, '/livez')).status).toBe(200);
    expect(taken.every((socket) => !socket.destroyed)).toBe(true);
  });
});
