import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import type { Failure } from '../../src/base/errors.ts';
import { Secret } from '../../src/base/secret.ts';
import type { Change } from '../../src/feed/change.ts';
import type { Topic } from '../../src/feed/feed.ts';
import { RelayFeed } from '../../src/feed/relay-feed.ts';
import { RelayServer } from '../../src/relay/server.ts';
import { Watchers } from '../../src/relay/watchers.ts';

const releases: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const release of releases.splice(0).reverse()) await release();
});

const written = (path: string): Change => ({ namespace: '', path, reach: 'path' });

async function startRelay({ port = 0, role = 'active' as 'active' | 'standby', boot = 'boot' } = {}) {
  const watchers = new Watchers(boot);
  watchers.become({ live: true, role });
  const accepts = async (token: string) => token === 'right';
  const server = await RelayServer.open({ host: '127.0.0.1', port, accepts, watchers });
  let isOver = false;
  const stop = async () => {
    if (!isOver) await server[Symbol.asyncDispose]();
    isOver = true;
  };
  releases.push(stop);
  return { watchers, port: server.port, stop };
}

function follow(ports: readonly number[], token = 'right') {
  const lives: (Failure | undefined)[] = [];
  const feed = new RelayFeed({
    urls: ports.map((port) => `http://127.0.0.1:${port}`),
    tls: { skipVerify: false },
    readToken: async () => Secret.text(token),
    place: 'backends.bao.events.url',
    clock: systemClock,
    random: () => 0,
    env: {},
    version: '0.0.0',
    report: { live: (why) => void lives.push(why), event: () => {} },
  });
  releases.push(() => feed[Symbol.asyncDispose]());
  const topic = (...marks: string[]) => {
    const heard: string[] = [];
    const it: Topic & { heard: string[] } = {
      marks,
      heard,
      changed: (isBroad) => void heard.push(isBroad ? 'broad' : 'changed'),
      covered: (isCovered) => void heard.push(isCovered ? 'covered' : 'uncovered'),
    };
    feed.add(it);
    return it;
  };
  return { feed, topic, state: () => (lives.length === 0 ? 'unknown' : (lives.at(-1)?.seen ?? 'up')) };
}

const soon = { timeout: 15_000 };

describe('RelayFeed', { timeout: 30_000 }, () => {
  it('covers its topics once the relay is there, and tells each what concerns it', async () => {
    const { port, watchers } = await startRelay();
    const { topic, state } = follow([port]);
    const [a, b] = [topic('secret/a'), topic('secret/b')];
    await expect.poll(state, soon).toBe('up');
    watchers.changed(written('secret/data/b'));
    watchers.changed({ namespace: '', path: '', reach: 'namespace' });
    await expect.poll(() => b.heard, soon).toEqual(['covered', 'changed', 'broad']);
    expect(a.heard).toEqual(['covered', 'broad']);
  });

  it('covers topics that come later, and leaves the others covered', async () => {
    const { port, watchers } = await startRelay();
    const { topic } = follow([port]);
    const first = topic('secret/a');
    await expect.poll(() => first.heard, soon).toEqual(['covered']);
    const later = topic('secret/b');
    watchers.changed(written('secret/a'));
    await expect.poll(() => later.heard, soon).toEqual(['covered']);
    await expect.poll(() => first.heard, soon).toEqual(['covered', 'changed']);
  });

  it('is up only while all relays are there, and one is beside the active node', async () => {
    const [one, two] = [await startRelay({ role: 'standby' }), await startRelay({ role: 'standby' })];
    const { topic, state } = follow([one.port, two.port]);
    const it = topic('secret/a');
    await expect.poll(state, soon).toContain('no relay is beside the active node');
    expect(it.heard).toEqual([]);
    two.watchers.become({ live: true, role: 'active' });
    await expect.poll(() => it.heard, soon).toEqual(['covered']);
    one.watchers.changed(written('secret/a'));
    await expect.poll(() => it.heard, soon).toEqual(['covered', 'changed']);
    one.watchers.become({ live: false, role: 'standby', why: 'the log does not exist' });
    await expect.poll(() => it.heard, soon).toEqual(['covered', 'changed', 'uncovered']);
    expect(state()).toContain('the log does not exist');
  });

  it('goes on after a lost connection when nothing was missed, and hears what happened meanwhile', async () => {
    const { port, watchers } = await startRelay();
    const { topic } = follow([port]);
    const it = topic('secret/a');
    await expect.poll(() => it.heard, soon).toEqual(['covered']);
    watchers.closeAll();
    watchers.changed(written('secret/a'));
    await expect.poll(() => it.heard, soon).toEqual(['covered', 'changed']);
  });

  it('covers anew after a relay was started again, since changes may have been missed', async () => {
    const before = await startRelay();
    const { topic } = follow([before.port]);
    const it = topic('secret/a');
    await expect.poll(() => it.heard, soon).toEqual(['covered']);
    await before.stop();
    await startRelay({ port: before.port, boot: 'another' });
    await expect.poll(() => it.heard, soon).toEqual(['covered', 'uncovered', 'covered']);
  });

  it('says why a relay does not take it', async () => {
    const { port } = await startRelay();
    const { topic, state } = follow([port], 'wrong');
    topic('secret/a');
    await expect.poll(state, soon).toContain('it knows neither the token nor the certificate of this agent');
  });

  it('says that nothing listens there', async () => {
    const { port, stop } = await startRelay();
    await stop();
    const { topic, state } = follow([port]);
    topic('secret/a');
    await expect.poll(state, soon).toContain('connection refused');
  });
});
