import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { LOUD } from './canary.helpers.ts';
import { get } from './observe.helpers.ts';
import { type PushScene, RELAY_TOKEN, startPushScene } from './push.helpers.ts';

/** Part of every value; of the relay's token, too. */
const CANARY = 'canary';

let scene: PushScene | undefined;
afterEach(async () => {
  await scene?.[Symbol.asyncDispose]();
  scene = undefined;
});

describe('no value comes out with the feed of changes', { timeout: 60_000 }, () => {
  it('of the relay and of its agent, though the log holds values, with every debug switch on', async () => {
    expect(RELAY_TOKEN).toContain(CANARY);
    scene = await startPushScene(1);
    const relay = await scene.startRelay(LOUD);
    const events = { url: `http://127.0.0.1:${scene.relayPort}`, tokenFile: './relay-token' };
    const agent = await scene.startAgent(events, { log: { level: 'trace' } }, LOUD);
    await agent.waitFor('feed-up');
    // As a device with log_raw writes it, whole and broken, for a path that the agent asked for.
    const path = 'secret/data/shop/k0';
    const raw = JSON.stringify({
      time: '2026-11-30T00:00:00Z',
      type: 'response',
      error: `${CANARY} in an error`,
      request: { operation: 'update', path, data: { value: CANARY }, client_token: CANARY },
    });
    await appendFile(scene.auditFile, `${raw}\n${raw.slice(0, -5)}\n${CANARY}\n`);
    const told: string[] = [];
    const answer = await fetch(`http://127.0.0.1:${scene.relayPort}/v1/watch`, {
      method: 'POST',
      body: JSON.stringify({ topics: [['secret/shop/k0'], [`${CANARY}/a-path-of-somebody-else`]] }),
      headers: { Authorization: `Bearer ${RELAY_TOKEN}` },
    });
    const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
    await scene.write('k0', CANARY);
    while (!told.join('').includes('"changed":[0]'))
      told.push(Buffer.from((await reader.read()).value ?? []).toString());
    await reader.cancel();
    await scene.sees('k0', CANARY);
    const metrics = await (await fetch(`http://127.0.0.1:${scene.relayPort}/metrics`)).text();
    const status = await get(join(scene.dir, 'api.sock'), '/v1/status');
    expect(status.body).toContain('"events":{"state":"up"');
    relay.kill('SIGKILL');
    await relay.ended;
    await agent.waitFor('feed-down', { withinMs: 30_000 });
    await agent.stop();
    expect(await readFile(scene.auditFile, 'utf8')).toContain(CANARY);
    const said = [...told, metrics, JSON.stringify(status), relay.output(), agent.output()].join('\n');
    expect(said).not.toContain(CANARY);
    for (const one of [...told, metrics, relay.output()]) expect(one).not.toMatch(/shop|hmac-sha256/);
  });
});
