import { existsSync, lstatSync, mkdirSync, readdirSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { failure, type PannierError } from '../../../src/base/errors.ts';
import type { Fact } from '../../../src/base/fact.ts';
import { holdFolder } from '../../../src/base/held-folder.ts';
import { memoryDisk } from '../../../src/deliver/file/disk.ts';
import { createFileSink } from '../../../src/deliver/file/file-sink.ts';
import { Owners } from '../../../src/deliver/file/owners.ts';
import { FakeClock } from '../../fake-clock.ts';
import { leaveDead } from '../sockets.helpers.ts';
import { failureOf, openSink, outputIn, useScratch } from './file-sink.helpers.ts';

const scratch = useScratch();
const releases: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const release of releases.splice(0)) await release();
});

function agent(configuration = '/etc/pannier/a.yaml') {
  const facts: Fact[] = [];
  const owners = new Owners({
    emit: (fact) => void facts.push(fact),
    tell: () => ({ configuration, startedWallMs: Date.UTC(2026, 0, 1) }),
  });
  releases.push(() => owners[Symbol.asyncDispose]());
  const claim = async (dir: string) => {
    const folder = await holdFolder(dir);
    try {
      const isKept = await owners.claim(dir, folder, 'outputs.shop');
      if (!isKept) await folder[Symbol.asyncDispose]();
      return isKept;
    } catch (error) {
      await folder[Symbol.asyncDispose]();
      throw error;
    }
  };
  return { owners, facts, claim };
}

describe('the owner of a directory', () => {
  it('is the first agent; the second one is refused, and told who the first one is', async () => {
    const dir = scratch();
    const [first, second] = [agent('/etc/pannier/a.yaml'), agent('/etc/pannier/b.yaml')];
    expect(await first.claim(dir)).toBe(true);
    expect(await failureOf(second.claim(dir))).toEqual({
      code: 'OUTPUT_IN_USE',
      text: expect.stringContaining(
        `another agent owns ${dir}: pid ${process.pid}, since 2026-01-01T00:00:00.000Z, configuration /etc/pannier/a.yaml`,
      ),
    });
  });

  it('gives it up when it ends, and leaves nothing', async () => {
    const dir = scratch();
    const [first, second] = [agent(), agent()];
    await first.claim(dir);
    await first.owners[Symbol.asyncDispose]();
    expect(readdirSync(dir)).toEqual([]);
    expect(await second.claim(dir)).toBe(true);
  });

  it('claims it once, also for a later configuration, and anew when the directory was made anew', async () => {
    const dir = join(scratch(), 'out');
    mkdirSync(dir);
    const { claim } = agent();
    expect([await claim(dir), await claim(dir)]).toEqual([true, false]);
    rmSync(dir, { recursive: true });
    mkdirSync(dir);
    expect([await claim(dir), existsSync(join(dir, '..owner'))]).toEqual([true, true]);
    expect((await failureOf(agent().claim(dir))).code).toBe('OUTPUT_IN_USE');
  });

  it('that was killed has none: the next agent takes it over at once', async () => {
    const dir = scratch();
    leaveDead(join(dir, '..owner'));
    const next = agent();
    expect([await next.claim(dir), next.facts]).toEqual([true, []]);
    expect((await failureOf(agent().claim(dir))).code).toBe('OUTPUT_IN_USE');
  });

  it.each<[string, (path: string) => void]>([
    ['a file', (path) => writeFileSync(path, 'x')],
    ['a symlink', (path) => symlinkSync('/nonexistent/socket', path)],
  ])('is nobody where %s has the name of the socket', async (_, make) => {
    const dir = scratch();
    make(join(dir, '..owner'));
    expect(await agent().claim(dir)).toBe(true);
    expect(lstatSync(join(dir, '..owner')).isSocket()).toBe(true);
  });

  it('cannot be told where a folder has the name of the socket: that is a warning, once, and nothing is held up', async () => {
    const dir = scratch();
    mkdirSync(join(dir, '..owner'));
    const { claim, facts } = agent();
    expect([await claim(dir), await claim(dir)]).toEqual([false, false]);
    const hint = expect.stringContaining('Remove the directory ..owner or ..owner_lock in it.');
    expect(facts).toMatchObject([{ kind: 'agent-warning', warning: { code: 'OUTPUT_UNGUARDED', hint } }]);
  });

  it('is not looked for again where no socket can ever be made, as in /sys', async () => {
    const { owners, claim, facts } = agent();
    expect([await claim('/sys'), await owners.isInPlace('/sys', '/sys', memoryDisk)]).toEqual([false, true]);
    const { hint } = failure('OUTPUT_UNGUARDED', '', '');
    expect(facts).toMatchObject([{ kind: 'agent-warning', warning: { code: 'OUTPUT_UNGUARDED', hint } }]);
  });

  it('is claimed at a later look where something was in the way at first', async () => {
    const dir = scratch();
    mkdirSync(join(dir, '..owner'));
    const { owners, claim } = agent();
    expect([await claim(dir), owners.owns(dir), await owners.isInPlace(dir, dir, memoryDisk)]).toEqual([
      false,
      false,
      false,
    ]);
    rmSync(join(dir, '..owner'), { recursive: true });
    expect([await claim(dir), owners.owns(dir), await owners.isInPlace(dir, dir, memoryDisk)]).toEqual([
      true,
      true,
      true,
    ]);
  });

  it.each([
    ['a new directory', false],
    ['one whose owner is dead', true],
  ])('is one of ten agents whose sinks begin at once in %s, and the others are refused', async (_, hasDead) => {
    for (let round = 0; round < 20; round++) {
      const dir = scratch();
      if (hasDead) leaveDead(join(dir, '..owner'));
      const agents = Array.from({ length: 10 }, () => agent());
      const results = await Promise.allSettled(
        agents.map(({ owners }) => createFileSink(outputIn(dir), new FakeClock(), owners).recover()),
      );
      expect(agents.flatMap(({ facts }) => facts)).toEqual([]);
      const refused = results.filter(
        (result) => result.status === 'rejected' && result.reason.failure.code === 'OUTPUT_IN_USE',
      );
      expect([refused.length, readdirSync(dir)]).toEqual([9, ['..owner']]);
    }
  });

  it('lives although it says nothing, or what no agent says', async () => {
    for (const say of [
      '',
      'HTTP/1.1 400\r\n\r\n',
      '{"pid":"1","since":9e99,"configuration":7}\n',
      'x'.repeat(10_000),
    ]) {
      const dir = scratch();
      const server: Server = createServer((socket) => void socket.on('error', () => {}).end(say));
      await new Promise<void>((resolve) => server.listen(join(dir, '..owner'), resolve));
      const { code, text } = await failureOf(agent().claim(dir));
      server.close();
      expect([code, text.includes('it does not say who it is')]).toEqual(['OUTPUT_IN_USE', true]);
    }
  });

  it('cannot put control characters into a message', async () => {
    const dir = scratch();
    await agent('\u001b[2Jx\u202e').claim(dir);
    expect((await failureOf(agent().claim(dir))).text).toContain('configuration ?[2Jx?');
  });

  it.each([20])('is one of %i agents that find a dead one in the same moment', async (count) => {
    const dir = scratch();
    leaveDead(join(dir, '..owner'));
    const results = await Promise.all(
      Array.from({ length: count }, () =>
        agent()
          .claim(dir)
          .catch((error: PannierError) => error.failure.code),
      ),
    );
    expect(results.filter((result) => result === true)).toHaveLength(1);
    expect(readdirSync(dir)).toEqual(['..owner']);
    expect((await failureOf(agent().claim(dir))).code).toBe('OUTPUT_IN_USE');
  });

  it('takes over from agents that were killed while they took over, and its sink clears what they left', async () => {
    const dir = scratch();
    for (const name of ['..owner', '..owner_lock', '..owner_lock_lock', '..owner_1a2b3c4d']) leaveDead(join(dir, name));
    const next = agent();
    await createFileSink(outputIn(dir), new FakeClock(), next.owners).recover();
    expect(readdirSync(dir)).toEqual(['..owner']);
    expect((await failureOf(agent().claim(dir))).code).toBe('OUTPUT_IN_USE');
  });

  it('notices that its socket was removed, or is that of another agent', async () => {
    const dir = scratch();
    const { owners, claim } = agent();
    const isInPlace = () => owners.isInPlace(dir, dir, memoryDisk);
    expect(await isInPlace()).toBe(true); // it owns nothing
    await claim(dir);
    expect(await isInPlace()).toBe(true);
    unlinkSync(join(dir, '..owner'));
    expect(await isInPlace()).toBe(false);
    const other = agent();
    await other.claim(dir);
    expect(await isInPlace()).toBe(false);
    await owners.release(dir);
    expect((await failureOf(claim(dir))).code).toBe('OUTPUT_IN_USE');
    expect(await other.owners.isInPlace(dir, dir, memoryDisk)).toBe(true);
  });
});

describe('a sink without owners, as of init', () => {
  it('is refused by a living owner and not by a dead one, and makes no socket', async () => {
    const dir = scratch();
    const { claim, owners } = agent();
    await claim(dir);
    expect((await failureOf(openSink(outputIn(dir), new FakeClock()))).code).toBe('OUTPUT_IN_USE');
    await owners[Symbol.asyncDispose]();
    leaveDead(join(dir, '..owner'));
    await openSink(outputIn(dir), new FakeClock());
    unlinkSync(join(dir, '..owner'));
    await openSink(outputIn(dir), new FakeClock());
    expect(readdirSync(dir)).toEqual([]);
  });
});
