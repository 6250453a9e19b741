import { once } from 'node:events';
import { appendFile, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type PushScene, RELAY_TOKEN, startPushScene } from './push.helpers.ts';

let scene: PushScene | undefined;
afterEach(async () => {
  await scene?.[Symbol.asyncDispose]();
  scene = undefined;
});

const relayEvents = ({ relayPort }: PushScene) => ({
  url: `http://127.0.0.1:${relayPort}`,
  tokenFile: './relay-token',
});

describe('push on OpenBao', { timeout: 60_000 }, () => {
  it('reads a secret at once when the audit log on this machine says that it was written', async () => {
    scene = await startPushScene(2);
    const agent = await scene.startAgent({ auditFile: scene.auditFile });
    await agent.waitFor('feed-up');
    await scene.write('k0', 'second');
    await scene.sees('k0', 'second');
    await scene.bao.api('DELETE', 'secret/data/shop/k1');
    await agent.waitFor('secret-failed', { fits: ({ secrets }) => String(secrets).includes('k1') });
    await scene.bao.api('POST', 'secret/undelete/shop/k1', { versions: [1] });
    await agent.waitFor('secret-state', { fits: ({ state }) => state === 'fresh' });
  });

  it('tells agents by a relay, names no path to them, and gives nothing to those it does not know', async () => {
    scene = await startPushScene(2);
    const relay = await scene.startRelay();
    const agent = await scene.startAgent(relayEvents(scene));
    await agent.waitFor('feed-up');
    await scene.write('k1', 'second');
    await scene.sees('k1', 'second');
    const body = JSON.stringify({ topics: [['secret/shop/k0']] });
    const url = `http://127.0.0.1:${scene.relayPort}/v1/watch`;
    const post = (headers: Record<string, string>) => fetch(url, { method: 'POST', body, headers });
    expect((await post({})).status).toBe(401);
    expect((await post({ Authorization: 'Bearer wrong' })).status).toBe(401);
    const answer = await post({ Authorization: `Bearer ${RELAY_TOKEN}` });
    const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
    let text = '';
    await scene.write('k0', 'canary-of-a-value');
    await scene.write('k1', 'canary-of-a-value');
    while (!text.includes('"changed":[0]')) text += Buffer.from((await reader.read()).value ?? []).toString();
    await reader.cancel();
    expect(text).not.toMatch(/secret\/|shop|k0|k1|canary|hmac|accessor/);
    await scene.sees('k1', 'canary-of-a-value');
    for (const one of [relay, agent]) expect(one.output()).not.toMatch(/canary|hmac-sha256/);
  });

  it('gives an agent its subscription while more silent connections come than it has', async () => {
    scene = await startPushScene(1);
    await scene.startRelay();
    const silent: Socket[] = [];
    while (silent.length < 4_200) {
      const socket = connect(scene.relayPort, '127.0.0.1').on('error', () => {});
      await once(socket, 'connect');
      silent.push(socket);
    }
    const agent = await scene.startAgent(relayEvents(scene));
    await agent.waitFor('feed-up');
    // The first try succeeded: later ones would when the relay has closed silent connections, as it does in seconds.
    expect(agent.facts('feed-down')).toEqual([]);
    await scene.write('k0', 'second');
    await scene.sees('k0', 'second');
    for (const socket of silent) socket.destroy();
  });

  it('misses no change when the log is rotated and when the relay ends and comes back', async () => {
    scene = await startPushScene(3);
    let relay = await scene.startRelay();
    const agent = await scene.startAgent(relayEvents(scene));
    await agent.waitFor('feed-up');
    await rename(scene.auditFile, `${scene.auditFile}.1`);
    await scene.write('k0', 'after the rename');
    await scene.sees('k0', 'after the rename');
    process.kill(scene.bao.pid, 'SIGHUP');
    await expect
      .poll(
        () =>
          readFile(scene?.auditFile ?? '').then(
            () => true,
            () => false,
          ),
        { timeout: 10_000 },
      )
      .toBe(true);
    await scene.write('k1', 'after the rotation');
    await scene.sees('k1', 'after the rotation');
    relay.kill('SIGKILL');
    await relay.ended;
    await scene.write('k2', 'while the relay is away');
    relay = await scene.startRelay();
    await scene.sees('k2', 'while the relay is away', 45_000);
    expect(relay.facts('relay-live').length).toBe(1);
  });

  it('polls at refresh while the log is not that of the server, and says so', async () => {
    scene = await startPushScene(1);
    const other = join(scene.dir, 'other.log');
    await writeFile(other, '');
    const agent = await scene.startAgent(
      { auditFile: other },
      { secrets: { k0: { kv: 'secret/shop/k0', refresh: '1s' } } },
    );
    const down = await agent.waitFor('feed-down');
    expect(down).toMatchObject({ code: 'FEED_DOWN', place: 'backends.bao.events.auditFile' });
    expect(String(down['seen'])).toContain('has no line of a request that the server has answered');
    await scene.write('k0', 'second');
    await scene.sees('k0', 'second');
    await appendFile(other, 'nonsense\n');
    await rm(other);
  });

  it('shows the feed in status and metrics', async () => {
    scene = await startPushScene(1);
    const agent = await scene.startAgent({ auditFile: scene.auditFile });
    await agent.waitFor('feed-up');
    await scene.write('k0', 'second');
    await scene.sees('k0', 'second');
    const { request } = await import('node:http');
    const ask = (socket: string, path: string) =>
      new Promise<string>((resolve, reject) => {
        const sent = request({ socketPath: join(scene?.dir ?? '', socket), path }, (answer) => {
          let text = '';
          answer.setEncoding('utf8').on('data', (chunk: string) => {
            text += chunk;
          });
          answer.on('end', () => resolve(text));
        });
        sent.on('error', reject);
        sent.end();
      });
    const { backends } = JSON.parse(await ask('api.sock', '/v1/status')) as { backends: { events: object }[] };
    expect(backends[0]?.events).toMatchObject({ state: 'up', told: expect.any(Number), lastAt: expect.any(String) });
    expect(await ask('admin.sock', '/metrics')).toMatch(/^pannier_feed_up\{backend="bao"\} 1$/m);
  });
});

describe('pannier doctor on push', { timeout: 60_000 }, () => {
  it('opens the feed as an agent does, and says why it does not begin', async () => {
    scene = await startPushScene(1);
    const other = join(scene.dir, 'other.log');
    await writeFile(other, '');
    const check = async (events: object) => {
      const { doctor } = scene as PushScene;
      const checks = JSON.parse(await doctor(events)) as {
        check: string;
        state: string;
        seen: string;
        code?: string;
      }[];
      return checks.find((one) => one.check === 'events');
    };
    expect(await check({ auditFile: scene.auditFile })).toMatchObject({ state: 'ok' });
    expect(await check({ auditFile: join(scene.dir, 'none.log') })).toMatchObject({
      state: 'warning',
      code: 'FEED_DOWN',
      seen: expect.stringContaining('does not exist'),
    });
    expect(await check({ auditFile: other })).toMatchObject({ state: 'warning' });
    expect(await check(relayEvents(scene))).toMatchObject({
      state: 'warning',
      seen: expect.stringContaining('refused'),
    });
    await scene.startRelay();
    expect(await check(relayEvents(scene))).toMatchObject({ state: 'ok' });
  });
});

describe('certificates on push', { timeout: 60_000 }, () => {
  it('are looked at when one of their mount is revoked, and the revoked one is replaced', async () => {
    scene = await startPushScene(1);
    const { bao } = scene;
    await bao.api('POST', 'sys/mounts/pki', { type: 'pki' });
    await bao.api('POST', 'pki/root/generate/internal', { common_name: 'root', ttl: '8760h' });
    await bao.api('POST', 'pki/roles/shop', { allow_any_name: true, ttl: '24h' });
    const agent = await scene.startAgent(
      { auditFile: scene.auditFile },
      { secrets: { k0: { certificate: { issuer: 'pki', role: 'shop', commonName: 'shop.test' }, refresh: '1h' } } },
    );
    await agent.waitFor('feed-up');
    const text = await readFile(join(scene.dir, 'out', 'k0', 'value.json'), 'utf8');
    const { serialNumber } = JSON.parse(text) as { serialNumber: string };
    await bao.api('POST', 'pki/revoke', { serial_number: serialNumber });
    await agent.waitFor('agent-warning', { fits: ({ code }) => code === 'CERTIFICATE_REVOKED' });
    await agent.waitFor('output-published', { count: 2 });
  });
});
