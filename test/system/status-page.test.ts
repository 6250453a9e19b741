import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startFaultServer } from '../faults/fault-server.ts';
import { findFreePort } from '../servers/free-port.ts';
import { type Agent, eventually } from './agent.helpers.ts';
import { axeProblems, findChromium, startBrowser } from './browser.helpers.ts';
import { baoOf, useScene, useWorld } from './openbao.helpers.ts';
import { frameAsHtml, watchOnTerminal } from './watch.helpers.ts';

const scene = useScene();
const world = useWorld({ database: true, databaseTtl: '1m', databaseMaxTtl: '24h' });

const chromium = findChromium();
/** Where screenshots go, for the documentation: `SCREENSHOTS=docs/img`. */
const screenshots = process.env['SCREENSHOTS'];

/** An agent that has everything that the page shows: what is well, what is slow, what fails, and what is held back. */
async function setUp(): Promise<{ agent: Agent; socket: string; url: string }> {
  const { putSecret } = world();
  await putSecret('app', { greeting: 'hello', password: 'v4lue' });
  const place = await scene.place();
  const app = await scene.application(place.dir);
  const slow = scene.keep(await startFaultServer(() => {}));
  const port = await findFreePort();
  const closed = `http://127.0.0.1:${await findFreePort()}`;
  const token = { method: 'token', token: '${env:TOKEN}' };
  const reload = { signal: { name: 'SIGHUP', pidFile: app.pidFile } };
  const output = (name: string, content: string, more: object = {}) => {
    return { dir: join(place.dir, name), files: { f: { content } }, ...more };
  };
  const config = await place.config({
    log: { level: 'debug' },
    backends: {
      bao: baoOf(world()),
      slow: { kind: 'vault', address: slow.address, auth: token, timeout: '20s' },
      broken: { kind: 'vault', address: closed, auth: token, timeout: '1s' },
    },
    secrets: {
      app: { backend: 'bao', kv: 'secret/shop/app', refresh: '3s' },
      db: { backend: 'bao', read: 'database/creds/shop' },
      tls: {
        backend: 'bao',
        certificate: { issuer: 'pki', role: 'shop', commonName: 'shop.svc', ttl: '24h' },
      },
      flags: { backend: 'bao', kv: 'secret/shop/flags', optional: true },
      ledger: { backend: 'slow', kv: 'secret/ledger' },
      mail: { backend: 'broken', kv: 'secret/mail' },
    },
    outputs: {
      shop: output('shop', '{{db.username}} {{tls.certificate}}', { reload: [reload] }),
      edge: output('edge', '{{app.greeting}}', { reload: [{ command: { argv: ['/bin/false'] } }] }),
      books: output('books', '{{ledger.x}}'),
      mailer: output('mailer', '{{mail.x}}'),
    },
    admin: { listen: `127.0.0.1:${port}`, page: true },
    api: { socket: join(place.dir, 'api.sock') },
  });
  const agent = scene.run(config, { env: { TOKEN: 'made-up' } });
  await agent.waitFor('output-published', { fits: ({ output: name }) => name === 'shop' });
  await agent.waitFor('output-published', { fits: ({ output: name }) => name === 'edge' });
  await putSecret('app', { greeting: 'good day', password: 'v4lue' });
  await agent.waitFor('reload-failed', { fits: ({ output: name }) => name === 'edge' });
  await agent.waitFor('login-failed', { fits: ({ backend }) => backend === 'broken' });
  return { agent, socket: join(place.dir, 'api.sock'), url: `http://127.0.0.1:${port}/status` };
}

describe.skipIf(chromium === undefined)('the status page in a Chromium (needs chromium on the PATH)', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await startBrowser(chromium as string);
  });
  afterAll(() => browser?.close());

  it('is live and accessible, light, dark and narrow, with a slow and a failing backend, and needs no script', async () => {
    const { agent, socket, url } = await setUp();
    const looks = [
      { name: 'status-page', colorScheme: 'light', viewport: { width: 1180, height: 1080 } },
      { name: 'status-page-dark', colorScheme: 'dark', viewport: { width: 1180, height: 1080 } },
      { name: 'status-page-narrow', colorScheme: 'light', viewport: { width: 390, height: 844 } },
    ] as const;
    for (const { name, ...look } of looks) {
      const page = await browser.newPage(look);
      const said: string[] = [];
      page.on('console', (message) => said.push(message.text()));
      page.on('pageerror', (error) => said.push(error.message));
      await page.goto(url);
      await page.getByText('live', { exact: true }).waitFor();
      expect(await page.title()).toBe('Pannier: not ready');
      const row = (text: RegExp) => page.locator('tbody tr').filter({ has: page.locator('th', { hasText: text }) });
      expect(await row(/^ledger$/).innerText()).toMatch(/waiting/);
      expect(await row(/^mail$/).innerText()).toMatch(/BACKEND_UNREACHABLE/);
      expect(await row(/^db$/).innerText()).toMatch(/fresh/);
      expect(await row(/^edge$/).innerText()).toMatch(/reload owed/);
      const overflow = await page.evaluate('document.documentElement.scrollWidth > innerWidth');
      expect(overflow, `${name} scrolls sideways`).toBe(false);
      expect(await axeProblems(page), name).toEqual([]);
      if (screenshots !== undefined) {
        mkdirSync(screenshots, { recursive: true });
        await page.screenshot({ path: join(screenshots, `${name}.png`), clip: { x: 0, y: 0, ...look.viewport } });
      }
      expect(said, name).toEqual([]);
      await page.close();
    }

    if (screenshots !== undefined) {
      const watching = watchOnTerminal(['status', '--watch', '--socket', socket], 92, 30);
      await eventually(() => expect(watching.screen().join('\n')).toContain('LOGINS'));
      const terminal = await browser.newPage({ viewport: { width: 820, height: 600 } });
      await terminal.setContent(frameAsHtml(watching.written()));
      await terminal.locator('pre').screenshot({ path: join(screenshots, 'status-watch.png') });
      await terminal.close();
    }

    const still = await (await browser.newContext({ javaScriptEnabled: false })).newPage();
    await still.goto(url);
    expect(await still.locator('#secrets').innerText()).toContain('ledger');
    await still.close();

    const page = await browser.newPage();
    await page.goto(url);
    await page.getByText('live', { exact: true }).waitFor();
    await world().putSecret('app', { greeting: 'again' });
    await page.locator('#timeline').getByText('generation 3 published').first().waitFor();
    await agent.stop();
    await page.getByText(/^not live|^the agent stops/).waitFor();
  }, 150_000);
});
