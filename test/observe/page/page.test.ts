import { request } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { BackendStatus, OutputStatus, SecretStatus } from '../../../src/deliver/api/status.ts';
import { indexRoute } from '../../../src/observe/index-route.ts';
import { renderPage } from '../../../src/observe/page/render-page.ts';
import { SCRIPT } from '../../../src/observe/page/script.ts';
import { withoutPaths } from '../../../src/observe/page/shown.ts';
import { STYLE } from '../../../src/observe/page/style.ts';
import { MAX_VIEWERS } from '../../../src/observe/page/viewers.ts';
import { eventually } from '../../system/agent.helpers.ts';
import { NOW, servePage, shownOf, statusWith } from './page.helpers.ts';

describe('the status page', () => {
  it('escapes every name and reason, and shows no path, directory, file or ETag', () => {
    const page = renderPage(shownOf(statusWith()));
    expect(page).not.toContain('<b onclick');
    expect(page).toContain('&lt;b onclick=x&gt;&quot;&#39;&amp;?');
    expect(page.match(/<script/g)).toHaveLength(1);
    expect(page).not.toContain('pr1vate');
    expect(page).toContain('waits for a computed secret');
  });

  it('has nothing inline and nothing from elsewhere: no style, no handler, no script text, no address', () => {
    const page = renderPage(shownOf(statusWith()));
    expect(page).not.toMatch(/<[^>]*\s(?:style|on\w+)=|<style|<script(?![^>]*\ssrc=)/);
    for (const text of [page, STYLE, SCRIPT]) expect(text).not.toMatch(/https?:|\/\/[a-z]|@import|url\(/);
    // Scripts of the bundle are read as Latin-1, and a browser gets UTF-8.
    for (const text of [STYLE, SCRIPT]) expect(text).toMatch(/^[\n -~]*$/);
  });

  it('says what needs attention first, what is held back, and what to do', () => {
    const page = renderPage(shownOf(statusWith(), { health: { problems: [], warnings: [{ ...FAILURE }] } }));
    expect(page).toContain('ready, needs attention');
    expect(page).toContain('generation 8 held back');
    expect(page.indexOf('&lt;b onclick')).toBeLessThan(page.indexOf('>good<'));
    expect(page).toMatch(/Restart it\./);
  });

  it('says which files another process has changed, and what to do', () => {
    const [web] = statusWith().outputs;
    const drift = { ...FAILURE, code: 'OUTPUT_DRIFTED', seen: 'password has other bytes', hint: 'Find the process.' };
    const page = renderPage(shownOf(statusWith({ outputs: [{ ...(web as OutputStatus), drift }] })));
    expect(page).toMatch(/changed on disk.*password has other bytes <code>OUTPUT_DRIFTED<\/code>.*Find the process\./s);
  });

  it('says that the files are of older values than the agent holds, and not twice where a reason is known', () => {
    const statement = { generation: 3, behind: true };
    const settled = { name: 'web', state: 'settled' as const, generation: 3, secrets: ['good'], statement };
    const shown = (more: object) => renderPage(shownOf(statusWith({ outputs: [{ ...settled, ...more }] })));
    expect(shown({})).toContain('newer values not published');
    expect(shown({ statement: { ...statement, behind: false } })).not.toContain('newer values not published');
    expect(shown({ held: { failure: FAILURE } })).not.toContain('newer values not published');
  });

  it('names no path of a computed secret in what it knows of the published files', () => {
    const secrets = [{ name: 'bao secret/pr1vate', version: '1', own: false, fetchedAt: NOW, ageSeconds: 1 }];
    const [web] = statusWith().outputs;
    const outputs = [{ ...(web as OutputStatus), statement: { generation: 1, behind: false, secrets } }];
    expect(JSON.stringify(withoutPaths(statusWith({ outputs })).outputs)).not.toContain('pr1vate');
  });

  it('says when a backend whose circuit is open is asked again, and nothing of one that is closed', () => {
    const [bao] = statusWith().backends;
    const probeAt = '2026-01-01T12:00:20.000Z';
    const page = (circuit: BackendStatus['circuit']) =>
      renderPage(shownOf(statusWith({ backends: [{ ...(bao as BackendStatus), circuit, failure: { ...FAILURE } }] })));
    expect(page({ state: 'open', probeAt })).toMatch(/asked again <time datetime="2026-01-01T12:00:20.000Z"/);
    expect(page({ state: 'closed' })).not.toContain('asked again');
  });

  it('lists 300 secrets at most, however many there are', () => {
    const [good] = statusWith().secrets;
    const secrets = Array.from({ length: 10_000 }, (_, at) => ({ ...(good as object), name: `s${at}` }));
    const page = renderPage(shownOf(statusWith({ secrets: secrets as never })));
    expect(page).toContain('and 9700 more');
    expect(page.length).toBeLessThan(300_000);
  });

  it('lists the outputs, backends and served names that need attention before those that are well, however many', () => {
    const many = <T extends object>(one: T): (T & { name: string })[] =>
      Array.from({ length: 300 }, (_, at) => ({ ...one, name: `fine${at}` }));
    const served = { kind: 'generic' as const, secrets: ['good'], streams: 1 };
    const settled = { state: 'settled' as const, secrets: ['good'], generation: 1 };
    const page = renderPage(
      shownOf(
        statusWith({
          outputs: [
            ...many(settled),
            { ...settled, name: 'drifted', drift: FAILURE },
            { name: 'without', state: 'waiting', secrets: ['none'], missing: ['none'] },
            { name: 'unpublished', state: 'failed', secrets: ['good'], failure: FAILURE },
          ],
          backends: [
            ...many({ kind: 'vault', login: { method: 'token', state: 'live' as const } }),
            { name: 'away', kind: 'file', failure: FAILURE },
            { name: 'loggedout', kind: 'vault', login: { method: 'token', state: 'dead' } },
          ],
          sds: {
            streams: 1,
            secrets: [
              ...many({ ...served, state: 'ready' as const }),
              { ...served, name: 'unserved', state: 'missing' },
            ],
          },
        }),
      ),
    );
    const firstOf = (id: string, rows: number) =>
      (page.split(`<section id="${id}"`)[1] ?? '').match(/(?<=<th scope="row">)[^<]*/g)?.slice(0, rows);
    expect(firstOf('outputs', 4)).toEqual(['unpublished', 'without', 'drifted', 'fine0']);
    expect(firstOf('backends', 3)).toEqual(['loggedout', 'away', 'fine0']);
    expect(firstOf('sds', 2)).toEqual(['unserved', 'fine0']);
    expect(page.match(/and \d more, which need no attention before these/g)).toHaveLength(3);
  });

  it('says now of what is due, however long it takes, and has no column in which nothing stands', () => {
    const [good] = statusWith().secrets;
    const secrets = [{ ...(good as SecretStatus), nextAt: '2026-01-01T11:59:50.000Z' }];
    const [, web] = statusWith().outputs;
    const { held: _, ...settled } = web as OutputStatus;
    const page = renderPage(shownOf(statusWith({ secrets, outputs: [settled] })));
    expect(page).toMatch(/<dt>Next<\/dt><dd>good <time [^>]*data-rel="due">now<\/time>/);
    expect(page).not.toContain('10s ago');
    expect(page).not.toContain('>Why<');
    expect(renderPage(shownOf(statusWith()))).toContain('>Why<');
  });

  it('comes with a strict policy, in no frame, and is kept in no cache', async () => {
    const { origin, listener } = await served();
    const { headers } = await fetch(`${origin}/status`);
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|\*|https?:/);
    expect(headers.get('x-frame-options')).toBe('DENY');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('cache-control')).toBe('no-store');
    expect((await fetch(`${origin}/status`, { method: 'POST' })).status).toBe(405);
    await listener[Symbol.asyncDispose]();
  });

  it.each([
    ['evil.example', 421],
    ['evil.example:9464', 421],
    ['localhost.evil.example', 421],
    ['localhost:9464', 200],
    ['127.0.0.1', 200],
    ['10.1.2.3:9464', 200],
    ['[fd00::1]:9464', 200],
    ['admin.shop.internal:9464', 200],
  ])('asked as %s it answers %i, against DNS rebinding', async (host, status) => {
    const { port, listener } = await served();
    for (const path of ['/status', '/status/events']) expect(await statusAs(port, path, host)).toBe(status);
    await listener[Symbol.asyncDispose]();
  });
});

describe('the live status page', () => {
  it('is sent at once and after a change, once a second at most, and all browsers share one rendering', async () => {
    const { origin, page, clock, state, rendered, listener } = await served();
    const readers = await Promise.all([follow(origin), follow(origin)]);
    await eventually(() => expect(readers.map(({ messages }) => messages())).toEqual([1, 1]));
    const before = rendered();
    state.status = statusWith({ version: '9.9.9' });
    for (let at = 0; at < 100; at++) page.changed();
    await clock.advance(1_000);
    await eventually(() => expect(readers.map(({ messages }) => messages())).toEqual([2, 2]));
    expect(rendered() - before).toBe(1);
    expect(readers[0]?.text()).toContain('9.9.9');
    await clock.advance(15_000);
    await eventually(() => expect(readers.map(({ messages }) => messages())).toEqual([3, 3]));
    await listener[Symbol.asyncDispose]();
  });

  it('takes so many browsers and no more, does nothing while nobody looks, and ends with the listener', async () => {
    const { origin, clock, page, rendered, listener } = await served();
    page.changed();
    expect(clock.waiting).toBe(0);
    const readers = await Promise.all(Array.from({ length: MAX_VIEWERS }, () => follow(origin)));
    const refused = await fetch(`${origin}/status/events`);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '10']);
    readers[0]?.leave();
    await eventually(async () => {
      const next = await fetch(`${origin}/status/events`);
      await next.body?.cancel();
      expect(next.status).toBe(200);
    });
    const before = rendered();
    await listener[Symbol.asyncDispose]();
    await eventually(() => expect(readers[1]?.isOver()).toBe(true));
    expect(readers[1]?.text()).toMatch(/event: end\n/);
    await clock.advance(60_000);
    expect(rendered()).toBe(before);
    expect(clock.waiting).toBe(0);
  });
});

describe('the index of the admin listener', () => {
  it('lists what is there and says nothing of the agent', async () => {
    const route = (path: string) => ({ method: 'GET', path, handle: () => undefined }) as const;
    const reply = await indexRoute([route('/metrics'), route('/status'), route('/status/events')]).handle({} as never);
    expect(String(reply?.body).match(/href="[^"]*"/g)).toEqual(['href="metrics"', 'href="status"']);
  });
});

const FAILURE = {
  code: 'SECRET_STALE',
  place: 'secrets.app',
  seen: 'old',
  hint: 'Restart it.',
  retry: 'never',
  exitStatus: 1,
} as const;

async function served() {
  const made = await servePage();
  onTestFinished(() => made.listener[Symbol.asyncDispose]().catch(() => {}));
  return made;
}

function statusAs(port: number, path: string, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, headers: { Host: host }, agent: false }, (response) => {
      resolve(response.statusCode ?? 0);
      response.destroy();
    });
    sent.on('error', reject);
    sent.end();
  });
}

/** Follows the page as a browser does. */
async function follow(origin: string) {
  const leaving = new AbortController();
  const response = await fetch(`${origin}/status/events`, { signal: leaving.signal });
  let text = '';
  let isOver = false;
  void (async () => {
    const decoder = new TextDecoder();
    try {
      for await (const chunk of response.body ?? []) text += decoder.decode(chunk as Uint8Array, { stream: true });
    } catch {
      // The test left.
    }
    isOver = true;
  })();
  return {
    text: () => text,
    messages: () => text.split('event: status\n').length - 1,
    isOver: () => isOver,
    leave: () => leaving.abort(),
  };
}
