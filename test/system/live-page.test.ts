import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { MAX_VIEWERS } from '../../src/observe/page/viewers.ts';
import { NOW, servePage } from '../observe/page/page.helpers.ts';
import { findChromium, startBrowser } from './browser.helpers.ts';

const chromium = findChromium();
const screenshots = process.env['SCREENSHOTS'];

describe.skipIf(chromium === undefined)('an open status page (needs chromium on the PATH)', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await startBrowser(chromium as string);
  });
  afterAll(() => browser?.close());

  /** A page whose agent sends nothing by itself, as its clock stands still, in a browser whose clock the test moves. */
  async function open() {
    const served = await servePage();
    onTestFinished(() => served.listener[Symbol.asyncDispose]().catch(() => {}));
    const page = await browser.newPage();
    onTestFinished(() => page.close());
    await page.clock.install({ time: NOW });
    await page.goto(`${served.origin}/status`);
    return { ...served, page };
  }
  const live = (page: Page) => page.locator('#live').getByText('live', { exact: true });
  const verdict = (page: Page) => page.locator('#summary .state');
  const shoot = async (page: Page, name: string) => {
    if (screenshots === undefined) return;
    mkdirSync(screenshots, { recursive: true });
    await page.screenshot({ path: join(screenshots, `${name}.png`) });
  };

  it('says that nothing comes any more, takes its verdict back, follows anew, and is live again', async () => {
    const { page, clock } = await open();
    await live(page).waitFor();
    await page.clock.runFor(20_000);
    expect(await verdict(page).innerText()).toBe('✓ ready');
    await page.clock.runFor(10_000);
    expect(await page.locator('#live').innerText()).toMatch(/^not live: nothing comes .* is of 12:00:00Z$/);
    expect(await verdict(page).innerText()).toBe('? not known; last seen ready');
    expect(await page.title()).toBe('Pannier: not live');
    await shoot(page, 'silent');

    await clock.advance(15_000);
    await live(page).waitFor();
    expect(await verdict(page).innerText()).toBe('✓ ready');
    expect(await page.title()).toBe('Pannier: ready');

    const anew = page.waitForRequest(/status\/events/);
    await page.clock.runFor(61_000);
    await anew;
    await live(page).waitFor();
  });

  it('takes its verdict back when the agent has ended', async () => {
    const { page, listener } = await open();
    await live(page).waitFor();
    await listener[Symbol.asyncDispose]();
    await page.getByText(/^the agent stops/).waitFor();
    await page.clock.runFor(2_000);
    await page.getByText(/^not live: the agent does not answer/).waitFor();
    expect(await verdict(page).innerText()).toBe('? not known; last seen ready');
    expect(await page.title()).toBe('Pannier: not live');
  });

  it('says that others follow when no place is left, and is loaded again instead', async () => {
    const { page, origin, state } = await open();
    const close = new AbortController();
    await live(page).waitFor();
    for (let at = 1; at < MAX_VIEWERS; at++) await fetch(`${origin}/status/events`, { signal: close.signal });
    onTestFinished(() => close.abort());
    const next = await browser.newPage();
    onTestFinished(() => next.close());
    await next.clock.install({ time: NOW });
    await next.goto(`${origin}/status`);
    await next.getByText(`not live: ${MAX_VIEWERS} browsers follow this agent already`).waitFor();
    expect(await verdict(next).innerText()).toBe('✓ ready');
    state.status = { ...state.status, version: '9.9.9' };
    await next.clock.runFor(10_000);
    await next.getByText('9.9.9').waitFor();
    await page.close();
    await next.clock.runFor(10_000);
    await live(next).waitFor();
  });

  it('moves the marks of the last hour as time passes', async () => {
    const { page, more } = await open();
    more.hourOf = () => [{ atMs: Date.parse(NOW) - 600_000, tone: 'plain', times: 1 }];
    await page.reload();
    await live(page).waitFor();
    const x = async () => Number(await page.locator('.strip [data-at]').first().getAttribute('x'));
    expect(await x()).toBeCloseTo(82.1, 1);
    await page.clock.runFor(54_000);
    expect(await x()).toBeCloseTo(80.6, 0);
  });
});
