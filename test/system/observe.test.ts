import { chmodSync, copyFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { startFaultServer } from '../faults/fault-server.ts';
import { sampleOf } from '../observe/exposition.helpers.ts';
import { findFreePort } from '../servers/free-port.ts';
import { eventually } from './agent.helpers.ts';
import { get, health, problemsOf, scrape } from './observe.helpers.ts';
import { baoOf, published, useScene, useWorld } from './openbao.helpers.ts';

const scene = useScene();
const world = useWorld({ openBao: { persist: true } });

beforeAll(() => world().putSecret('app', { password: 'one' }));

async function setUp(more: object = {}, secret: object = {}, output: object = {}) {
  const place = await scene.place();
  const dir = join(place.dir, 'out');
  const admin = join(place.dir, 'admin.sock');
  const config = await place.config({
    backends: { bao: { ...baoOf(world()), timeout: '500ms' } },
    secrets: { app: { kv: 'secret/shop/app', refresh: '200ms', ...secret } },
    outputs: { shop: { dir, files: { password: { content: '{{app.password}}' } }, ...output } },
    admin: { socket: admin },
    ...more,
  });
  return { place, dir, admin, config };
}

describe('the health of a running agent', () => {
  it('startup stays true, and readiness follows the backend: stale is ready, expired is not, fresh is again', async () => {
    const { bao } = world();
    await bao.kill();
    const { admin, config } = await setUp({}, { maxStale: '3s' });
    const agent = scene.run(config);
    await agent.waitFor('login-failed');
    expect((await health(admin, 'livez')).status).toBe(200);
    const down = ['OUTPUT_WAITING outputs.shop', 'BACKEND_UNREACHABLE backends.bao.auth'];
    expect(problemsOf(await health(admin, 'startupz')).sort()).toEqual(down.sort());
    expect(problemsOf(await health(admin, 'readyz')).sort()).toEqual(down.sort());
    await bao.start();
    await agent.waitFor('output-published');
    await eventually(async () => expect((await health(admin, 'readyz')).status).toBe(200));
    expect((await health(admin, 'startupz')).status).toBe(200);

    await bao.kill();
    await agent.waitFor('secret-state', { fits: ({ state }) => state === 'stale' });
    const stale = await health(admin, 'readyz');
    // On a machine that is busy for three seconds the value is expired already.
    if (stale.status === 200) expect(stale.warnings).toMatchObject([{ code: 'SECRET_STALE', place: 'secrets.app' }]);
    await agent.waitFor('secret-state', { fits: ({ state }) => state === 'expired' });
    const expired = await health(admin, 'readyz');
    expect([expired.status, problemsOf(expired)]).toEqual([503, ['SECRET_EXPIRED secrets.app']]);
    expect(expired.problems[0]?.seen).toMatch(
      /^last known good \d+s ago, connection refused at .* \(BACKEND_UNREACHABLE\)$/,
    );
    for (const check of ['startupz', 'livez'] as const) expect((await health(admin, check)).status).toBe(200);
    const families = await scrape(admin);
    expect(sampleOf(families, 'pannier_secret_state', { secret: 'app', state: 'expired' })).toBe(1);
    expect(sampleOf(families, 'pannier_health', { check: 'ready' })).toBe(0);

    await bao.start();
    await eventually(async () => expect((await health(admin, 'readyz')).status).toBe(200));
  });

  it('answers while the first login hangs', async () => {
    await using silent = await startFaultServer(() => {});
    const auth = { method: 'token', token: 't' };
    const { admin, config } = await setUp({ backends: { bao: { kind: 'vault', address: silent.address, auth } } });
    scene.run(config);
    await eventually(() => expect(silent.requests.length).toBeGreaterThan(0));
    expect((await health(admin, 'livez')).status).toBe(200);
    expect((await health(admin, 'readyz')).status).toBe(503);
    expect((await scrape(admin)).length).toBeGreaterThan(20);
  });

  it('is not ready while the directory of an output cannot be written', async () => {
    await world().putSecret('app', { password: 'one' });
    const { place, dir, admin } = await setUp();
    const nobody = { uid: 65534, gid: 65534 };
    const tokenFile = join(place.dir, 'token');
    copyFileSync(world().tokenFile, tokenFile);
    const config = await place.config({
      backends: { bao: baoOf(world(), { tokenFile }) },
      secrets: { app: { kv: 'secret/shop/app', refresh: '200ms' } },
      outputs: { shop: { dir, files: { password: { content: '{{app.password}}' } } } },
      admin: { socket: admin },
    });
    chmodSync(place.dir, 0o777);
    for (const path of [config, tokenFile]) chmodSync(path, 0o644);
    const agent = scene.run(config, process.getuid?.() === 0 ? nobody : {});
    await agent.waitFor('output-published');
    chmodSync(dir, 0o500);
    await world().putSecret('app', { password: 'two' });
    await agent.waitFor('output-failed');
    const failing = await health(admin, 'readyz');
    expect([failing.status, problemsOf(failing)]).toEqual([503, [expect.stringMatching(/^OUTPUT_\w+ outputs\.shop/)]]);
    expect((await health(admin, 'startupz')).status).toBe(200);
    chmodSync(dir, 0o700);
    await eventually(async () => expect((await health(admin, 'readyz')).status).toBe(200));
    expect(published(dir)).toEqual({ password: 'two' });
    const families = await scrape(admin);
    expect(sampleOf(families, 'pannier_output_publishes_total', { output: 'shop', result: 'failed' })).toBeGreaterThan(
      0,
    );
    expect(sampleOf(families, 'pannier_output_generation', { output: 'shop' })).toBe(2);
  });

  it('has a warning for a reload that fails, and stays ready', async () => {
    const { admin, config } = await setUp(
      {},
      {},
      {
        reloadOnFirst: true,
        reload: [{ signal: { name: 'SIGHUP', pidFile: '/nonexistent/pid' } }],
      },
    );
    const agent = scene.run(config);
    await agent.waitFor('reload-failed');
    const ready = await health(admin, 'readyz');
    expect([ready.status, ready.warnings[0]?.code]).toEqual([200, 'RELOAD_PID_FILE']);
  });

  it('is not alive for a moment after the process stood still, and then alive again', async () => {
    const { admin, config } = await setUp();
    const agent = scene.run(config);
    await agent.waitFor('output-published');
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    agent.kill('SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, 7_500));
    const asked = health(admin, 'livez');
    agent.kill('SIGCONT');
    expect(problemsOf(await asked)).toContain('AGENT_STALLED process');
    await eventually(async () => expect((await health(admin, 'livez')).status).toBe(200));
    const lag = sampleOf(await scrape(admin), 'pannier_event_loop_lag_seconds_bucket', { le: '5' });
    const all = sampleOf(await scrape(admin), 'pannier_event_loop_lag_seconds_bucket', { le: '+Inf' });
    expect(all as number).toBeGreaterThan(lag as number);
  });

  it('is answered beside 1,000 idle connections, on a port of any interface', async () => {
    const port = await findFreePort();
    const { config } = await setUp({ admin: { listen: `0.0.0.0:${port}` } });
    const agent = scene.run(config);
    await agent.waitFor('output-published');
    const idle = Array.from({ length: 1_000 }, () => {
      const socket = connect({ port, host: '127.0.0.1' });
      socket.on('error', () => {});
      return socket;
    });
    try {
      await eventually(async () => expect((await health(port, 'livez')).status).toBe(200));
    } finally {
      for (const socket of idle) socket.destroy();
    }
    await eventually(async () => expect((await get(port, '/metrics')).status).toBe(200));
  });

  it('counters go on over a new configuration, and removed secrets have no series', async () => {
    const { place, dir, admin, config } = await setUp(
      {
        secrets: { app: { kv: 'secret/shop/app', refresh: '200ms' }, old: { kv: 'secret/shop/app', refresh: '200ms' } },
      },
      {},
      { files: { f: { content: '{{old.password}}' } } },
    );
    const agent = scene.run(config);
    await agent.waitFor('output-published');
    const attempts = { result: 'changed' };
    const before = sampleOf(await scrape(admin), 'pannier_secret_attempts_total', attempts) as number;
    expect(before).toBeGreaterThan(0);
    writeFileSync(config, '{"version":1,"nope":1}');
    await agent.waitFor('config-rejected');
    expect(sampleOf(await scrape(admin), 'pannier_config_last_load_successful')).toBe(0);
    await place.config({
      backends: { bao: { ...baoOf(world()), timeout: '500ms' } },
      secrets: { app: { kv: 'secret/shop/app', refresh: '200ms' } },
      outputs: { web: { dir: `${dir}-web`, files: { f: { content: '{{app.password}}' } } } },
      admin: { socket: admin },
    });
    await agent.waitFor('config-applied');
    await agent.waitFor('output-published', { fits: ({ output }) => output === 'web' });
    const families = await scrape(admin);
    expect(sampleOf(families, 'pannier_secret_attempts_total', attempts)).toBeGreaterThan(0);
    expect(sampleOf(families, 'pannier_config_loads_total', { result: 'applied' })).toBe(1);
    const labels = families.flatMap(({ samples }) => samples.flatMap((sample) => Object.values(sample.labels)));
    expect(labels).toContain('web');
    expect(labels).not.toContain('shop');
    expect(labels).not.toContain('old');
  });

  it('a scrape has the times of a real login and of real secrets', async () => {
    const { admin, config } = await setUp({
      secrets: { app: { kv: 'secret/shop/app', refresh: '200ms' } },
    });
    const agent = scene.run(config);
    await agent.waitFor('output-published');
    const now = Date.now() / 1000;
    const families = await scrape(admin);
    const of = (name: string, labels = {}) => sampleOf(families, name, labels);
    expect(of('pannier_login_usable', { backend: 'bao' })).toBe(1);
    expect(of('pannier_login_state', { backend: 'bao', state: 'live' })).toBe(1);
    expect(of('pannier_login_expiry_timestamp_seconds', { backend: 'bao' })).toBeGreaterThan(now);
    expect(of('pannier_secret_last_success_timestamp_seconds', { secret: 'app' })).toBeGreaterThan(now - 60);
    const login = { backend: 'bao', operation: 'login', status: '200' };
    expect(of('pannier_backend_requests_total', login)).toBe(1);
    expect(of('process_resident_memory_bytes')).toBeGreaterThan(1e7);
    expect(of('process_start_time_seconds')).toBeGreaterThan(now - 120);
  });
});
