import { describe, expect, it } from 'vitest';
import type { Change } from '../../src/feed/change.ts';
import type { RelayLine } from '../../src/feed/relay-protocol.ts';
import { type Watcher, Watchers } from '../../src/relay/watchers.ts';

const written = (path: string): Change => ({ namespace: '', path, reach: 'path' });
const turn = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

class Agent implements Watcher {
  readonly lines: RelayLine[] = [];
  isClosed = false;
  reads = true;

  send(line: RelayLine): boolean {
    if (this.reads) this.lines.push(line);
    return this.reads;
  }

  close(): void {
    this.isClosed = true;
  }

  get last(): RelayLine | undefined {
    return this.lines.at(-1);
  }
}

function live(): Watchers {
  const watchers = new Watchers('boot');
  watchers.become({ live: true, role: 'active' });
  return watchers;
}

describe('Watchers', () => {
  it('tells each agent the numbers of its own topics, in one line a turn', async () => {
    const watchers = live();
    const [a, b] = [new Agent(), new Agent()];
    watchers.add(a, { topics: [['secret/a'], ['secret/b']] });
    watchers.add(b, { topics: [['secret/b']] });
    watchers.changed(written('secret/data/b'));
    watchers.changed(written('secret/data/b'));
    watchers.changed(written('secret/data/c'));
    await turn();
    expect(a.lines.map(({ changed }) => changed)).toEqual([undefined, [1]]);
    expect(b.lines.map(({ changed }) => changed)).toEqual([undefined, [0]]);
    expect(JSON.stringify(a.lines)).not.toContain('secret');
  });

  it('tells what concerns many apart', async () => {
    const watchers = live();
    const agent = new Agent();
    watchers.add(agent, { topics: [['team-a/secret/a']] });
    watchers.changed({ namespace: '', path: '', reach: 'namespace' });
    await turn();
    expect(agent.last).toMatchObject({ broad: [0] });
    watchers.gap();
    await turn();
    expect(agent.last).toMatchObject({ broad: [0] });
  });

  it('gives an agent that comes back what it has missed', async () => {
    const watchers = live();
    const agent = new Agent();
    watchers.add(agent, { topics: [['secret/a']] });
    watchers.changed(written('secret/a'));
    await turn();
    watchers.remove(agent);
    watchers.changed(written('secret/b'));
    watchers.changed(written('secret/c'));
    const again = new Agent();
    watchers.add(again, { topics: [['secret/a'], ['secret/c']], since: agent.last?.at as string });
    expect(again.lines).toMatchObject([{ isResumed: true, changed: [1] }]);
    const later = new Agent();
    watchers.add(later, { topics: [['secret/c']], since: again.last?.at as string });
    expect(later.last).not.toHaveProperty('changed');
    expect(later.last?.isResumed).toBe(true);
  });

  it('does not say that nothing was missed when that is not known', async () => {
    const isResumed = (watchers: Watchers, since?: string) => {
      const agent = new Agent();
      watchers.add(agent, { topics: [['secret/a']], ...(since === undefined ? {} : { since }) });
      return agent.last?.isResumed;
    };
    const watchers = live();
    expect(isResumed(watchers)).toBe(false);
    expect(isResumed(watchers, 'other.0')).toBe(false);
    expect(isResumed(watchers, 'boot.99')).toBe(false);
    expect(isResumed(watchers, 'boot.x')).toBe(false);
    const at = 'boot.0';
    for (let i = 0; i < 10_001; i++) watchers.changed(written('secret/a'));
    expect(isResumed(watchers, at)).toBe(false);
    const now = `boot.${watchers.counts.changes}`;
    expect(isResumed(watchers, now)).toBe(true);
    watchers.become({ live: false, role: 'active', why: 'gone' });
    watchers.become({ live: true, role: 'active' });
    expect(isResumed(watchers, now)).toBe(false);
    const before = `boot.${watchers.counts.changes}`;
    watchers.gap();
    expect(isResumed(watchers, before)).toBe(false);
  });

  it('drops an agent that does not read, and no other', async () => {
    const watchers = live();
    const [slow, other] = [new Agent(), new Agent()];
    for (const agent of [slow, other]) watchers.add(agent, { topics: [['secret/a']] });
    slow.reads = false;
    watchers.changed(written('secret/a'));
    await turn();
    expect([slow.isClosed, other.isClosed]).toEqual([true, false]);
    expect(other.last).toMatchObject({ changed: [0] });
    expect(watchers.counts).toMatchObject({ watchers: 1, marks: 1, dropped: 1 });
  });

  it('takes no more marks than it has room for, and has room again when an agent leaves', () => {
    const watchers = new Watchers('boot', 4);
    const first = new Agent();
    expect(
      watchers.add(first, {
        topics: [
          ['a', 'b'],
          ['c', 'd'],
        ],
      }),
    ).toBe(true);
    expect(watchers.add(new Agent(), { topics: [['secret/a']] })).toBe(false);
    watchers.remove(first);
    expect(watchers.add(new Agent(), { topics: [['secret/a']] })).toBe(true);
  });
});
