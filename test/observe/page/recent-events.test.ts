import { describe, expect, it } from 'vitest';
import { failure } from '../../../src/base/errors.ts';
import { RecentEvents } from '../../../src/observe/page/recent-events.ts';

let now = 0;
const events = () =>
  new RecentEvents(
    () => ++now,
    (name) => !name.includes(' '),
  );
const published = (generation: number) =>
  ({ kind: 'output-published', output: 'shop', dir: '/pr1vate', generation, files: 1, durationMs: 1 }) as const;

describe('the recent events', () => {
  it('keep a bounded number, and renewals do not push generations out', () => {
    const recent = events();
    for (let at = 1; at <= 150; at++) recent.notice(published(at));
    for (let at = 0; at < 150; at++) recent.notice({ kind: 'secret-renewed', secrets: [`s${at}`], ttlMs: 1 });
    const list = recent.list();
    expect(list).toHaveLength(200);
    expect(list.filter(({ output }) => output === 'shop').map(({ text }) => text)[0]).toBe('generation 150 published');
  });

  it('remember the last hour of each output, however much happens to other ones', () => {
    let wallMs = Date.UTC(2026, 0, 1);
    const recent = new RecentEvents(
      () => wallMs,
      () => true,
    );
    recent.notice(published(1));
    recent.notice({ kind: 'output-drift-over', output: 'shop' });
    for (let at = 0; at < 500; at++) recent.notice({ ...published(1), output: `other${at}` });
    wallMs += 50_000;
    recent.notice(published(2));
    wallMs += 600_000;
    recent.notice(published(3));
    expect(recent.hourOf('shop').map(({ tone, times }) => [tone, times])).toEqual([
      ['plain', 2],
      ['plain', 1],
    ]);
    expect(recent.hourOf('other0')).toHaveLength(1);
    wallMs += 3_000_000;
    expect(recent.hourOf('shop')).toHaveLength(1);
    wallMs += 600_000;
    expect(recent.hourOf('shop')).toEqual([]);
  });

  it('count what happens again, and come with the hint', () => {
    const recent = events();
    const why = failure('BACKEND_UNREACHABLE', 'backends.bao', 'refused');
    for (let at = 0; at < 5; at++) {
      recent.notice({ kind: 'login-failed', backend: 'bao', method: 'token', failure: why, retryInMs: 1 });
    }
    expect(recent.list()).toMatchObject([{ times: 5, tone: 'bad', subject: 'login of bao', hint: why.hint }]);
  });

  it('show no directory and no path of a computed secret', () => {
    const recent = events();
    recent.notice(published(1));
    recent.notice({ kind: 'secret-changed', secrets: ['app', 'bao secret/pr1vate'], life: 'none', first: true });
    recent.notice({ kind: 'secret-renewed', secrets: ['bao secret/pr1vate'], ttlMs: 1 });
    expect(JSON.stringify(recent.list())).not.toContain('pr1vate');
    expect(recent.list().at(1)?.subject).toBe('secrets app, 1 computed');
  });

  it('remember the renewals of a lease until its value changes, of so many secrets at most', () => {
    const recent = events();
    for (let at = 0; at < 30; at++) recent.notice({ kind: 'secret-renewed', secrets: ['db'], ttlMs: 1 });
    expect(recent.renewalsOf('db')).toHaveLength(20);
    recent.notice({ kind: 'secret-changed', secrets: ['db'], life: 'lease', first: false });
    expect(recent.renewalsOf('db')).toEqual([]);
    for (let at = 0; at < 600; at++) recent.notice({ kind: 'secret-renewed', secrets: [`s${at}`], ttlMs: 1 });
    expect(recent.renewalsOf('s499')).toHaveLength(1);
    expect(recent.renewalsOf('s500')).toEqual([]);
  });
});
