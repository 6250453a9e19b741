import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { StateKeeper } from '../../../src/agent/state/keeper.ts';
import type { Backend } from '../../../src/backend/backend.ts';
import type { Fact } from '../../../src/base/fact.ts';
import { Secret } from '../../../src/base/secret.ts';
import type { StateConfig } from '../../../src/config/config.ts';
import { LeaseManager } from '../../../src/lease/manager.ts';
import { FakeClock, settle } from '../../fake-clock.ts';
import { MemoryBackend, wantOf } from '../../memory-backend.ts';
import { scratchFolder } from '../agent.helpers.ts';

const KEY = 'k'.repeat(32);

interface World {
  readonly path: string;
  readonly clock?: FakeClock;
  readonly backend?: MemoryBackend;
  readonly config?: Partial<StateConfig>;
  readonly env?: Readonly<Record<string, string>>;
}

/** A lease manager with a keeper, over a memory backend with the secrets `a` and `b`. */
async function open({ path, clock = new FakeClock(), config = {}, env = { PANNIER_STATE_KEY: KEY }, ...given }: World) {
  const backend = given.backend ?? new MemoryBackend(clock);
  const facts: Fact[] = [];
  const emit = (fact: Fact) => void facts.push(fact);
  const holder: { keeper?: StateKeeper | undefined } = {};
  const manager = new LeaseManager({ clock, random: () => 0.5, emit, earlier: () => holder.keeper?.values });
  const key = { from: 'env', name: 'PANNIER_STATE_KEY' } as const;
  const state: StateConfig = { path, key, maxAgeMs: 86_400_000, place: 'state', ...config };
  const backends = (): Iterable<Backend> => [backend];
  holder.keeper = await StateKeeper.open(state, { clock, emit, env, manager, backends });
  const start = async () => {
    const wants = new Map(['a', 'b'].map((name) => [name, { ...wantOf(name), request: requestOf(name) }]));
    manager.reconcile(wants, new Map([['memory', backend]]));
    await settle();
  };
  const end = async () => {
    await holder.keeper?.end();
    await manager[Symbol.asyncDispose]();
  };
  const warnings = () => facts.flatMap((fact) => (fact.kind === 'agent-warning' ? [fact.warning.code] : []));
  return { clock, backend, facts, manager, keeper: holder.keeper, start, end, warnings };
}

/** A request of no file: files are not kept. The memory backend names an answer by the kind. */
const requestOf = (name: string) => ({ kind: name }) as never;
const text = ({ manager }: { manager: LeaseManager }, name: string) => {
  const entry = manager.entryOf(name);
  const value = entry === undefined || entry.state === 'absent' ? undefined : entry.value.fields.get('password');
  return value instanceof Secret ? value.exposeText('file') : undefined;
};
const writes = (path: string) => {
  let seen = -1;
  let count = 0;
  return () => {
    const { ino } = statSync(join(path, 'state'), { throwIfNoEntry: false }) ?? { ino: -1 };
    if (ino !== seen && ino !== -1) count++;
    seen = ino;
    return count;
  };
};
/** Lets writes to the real disk end. */
const written = () => new Promise((resolve) => setTimeout(resolve, 50));

describe('the keeper of a state', () => {
  it('writes what changed soon, once for all, and at most once a second', async () => {
    const path = join(scratchFolder(), 'state');
    const world = await open({ path });
    world.backend.set('a', { password: '1' });
    world.backend.set('b', { password: '1' });
    const count = writes(path);
    await world.start();
    expect(count()).toBe(0);
    await world.clock.advance(100);
    await vi.waitFor(() => expect(count()).toBe(1));
    await written();
    for (let change = 2; change < 6; change++) {
      world.backend.set('a', { password: `${change}` });
      const refreshed = world.manager.refresh('a');
      await written();
      await refreshed;
      await world.clock.advance(200);
      await written();
      count();
    }
    expect(count()).toBe(1);
    await world.clock.advance(1_000);
    await vi.waitFor(() => expect(count()).toBe(2));
    await world.end();
  });

  it('writes that a value is still the same a minute later', async () => {
    const path = join(scratchFolder(), 'state');
    const world = await open({ path });
    world.backend.set('a', { password: '1' });
    await world.start();
    await world.clock.advance(100);
    await written();
    const count = writes(path);
    count();
    const refreshed = world.manager.refresh('a');
    await written();
    await refreshed;
    await world.clock.advance(59_000);
    await written();
    expect(count()).toBe(1);
    await world.clock.advance(2_000);
    await written();
    expect(count()).toBe(2);
    await world.end();
  });

  it('gives the next process what this one knew at its end, also what that one has not asked for yet', async () => {
    const path = join(scratchFolder(), 'state');
    const first = await open({ path });
    first.backend.set('a', { password: 'one' });
    first.backend.set('b', { password: 'two' });
    await first.start();
    await first.end();
    const second = await open({ path });
    await second.end(); // it ends before it asks for anything
    const third = await open({ path });
    third.backend.answers.set('a', 'BACKEND_UNREACHABLE');
    third.backend.answers.set('b', 'BACKEND_UNREACHABLE');
    await third.start();
    expect([text(third, 'a'), text(third, 'b')]).toEqual(['one', 'two']);
    await third.end();
  });

  it('drops what the backend refuses by now', async () => {
    const path = join(scratchFolder(), 'state');
    const first = await open({ path });
    first.backend.set('a', { password: 'one' });
    await first.start();
    await first.end();
    const second = await open({ path });
    second.backend.answers.set('a', 'SECRET_DENIED');
    await second.start();
    await second.end();
    const third = await open({ path });
    third.backend.answers.set('a', 'BACKEND_UNREACHABLE');
    await third.start();
    expect(text(third, 'a')).toBeUndefined();
    await third.end();
  });

  it.each<[string, (path: string) => World, string, boolean]>([
    ['without its variable', (path) => ({ path, env: {} }), 'STATE_KEY', true],
    ['with a short key', (path) => ({ path, env: { PANNIER_STATE_KEY: 'short' } }), 'STATE_KEY', true],
    [
      'without its key file',
      (path) => ({ path, config: { key: { from: 'file', file: '/none/key' } } }),
      'STATE_KEY',
      true,
    ],
    ['with another key', (path) => ({ path, env: { PANNIER_STATE_KEY: 'K'.repeat(32) } }), 'STATE_UNREADABLE', false],
  ])('%s, the state stays as it was, and the agent works', async (_, worldOf, code, isUntouched) => {
    const path = join(scratchFolder(), 'state');
    const first = await open({ path });
    first.backend.set('a', { password: 'one' });
    await first.start();
    await first.end();
    const before = readFileSync(join(path, 'state'));
    const second = await open(worldOf(path));
    second.backend.set('a', { password: 'new' });
    await second.start();
    await second.end();
    expect([text(first, 'a'), second.warnings()]).toEqual([undefined, [code]]);
    expect(readFileSync(join(path, isUntouched ? 'state' : 'refused'))).toEqual(before);
  });

  it('makes no key on a disk: nothing is kept there without keyFile or keyEnv', async () => {
    const path = join(scratchFolder('disk'), 'state');
    const world = await open({ path, config: { key: { from: 'beside' } } });
    expect([world.keeper, world.warnings()]).toEqual([undefined, ['STATE_KEY']]);
    expect(readdirSync(path)).toEqual([]);
    await world.end();
  });

  it('uses no directory that another user can write, and follows no link', async () => {
    const root = scratchFolder();
    mkdirSync(join(root, 'open'));
    chmodSync(join(root, 'open'), 0o777);
    mkdirSync(join(root, 'real'), { mode: 0o700 });
    symlinkSync('real', join(root, 'link'));
    for (const name of ['open', 'link']) {
      const world = await open({ path: join(root, name) });
      expect([name, world.keeper, world.warnings().length]).toEqual([name, undefined, 1]);
      await world.end();
    }
    writeFileSync(join(root, 'file'), KEY);
    mkdirSync(join(root, 'linked'), { mode: 0o700 });
    symlinkSync('../file', join(root, 'linked/state'));
    const world = await open({ path: join(root, 'linked') });
    expect(world.warnings()).toEqual(['STATE_UNREADABLE']);
    await world.end(); // the link is set aside
    expect(readFileSync(join(root, 'file'), 'utf8')).toBe(KEY);
    expect(statSync(join(root, 'linked/state')).isFile()).toBe(true);
  });

  it('tells once that it cannot write, and writes when it can again', async () => {
    const path = join(scratchFolder(), 'state');
    const world = await open({ path });
    rmSync(path, { recursive: true });
    writeFileSync(path, 'in the way');
    world.backend.set('a', { password: '1' });
    await world.start();
    await world.clock.advance(100);
    await written();
    await vi.waitFor(() => expect(world.warnings()).toEqual(['STATE_NOT_WRITABLE']));
    await world.clock.advance(60_000);
    await written();
    expect(world.warnings()).toEqual(['STATE_NOT_WRITABLE']);
    expect(text(world, 'a')).toBe('1');
    rmSync(path);
    await vi.waitFor(async () => {
      await world.clock.advance(60_000);
      expect(existsSync(join(path, 'state'))).toBe(true);
    });
    await world.end();
  });
});
