import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { sampleOf } from '../observe/exposition.helpers.ts';
import { addStaticRole, writePolicy } from '../servers/index.ts';
import { eventually } from './agent.helpers.ts';
import { get, health, problemsOf, scrape } from './observe.helpers.ts';
import { baoOf, published, useScene, useWorld } from './openbao.helpers.ts';

const scene = useScene();
const world = useWorld({ database: true, databaseTtl: '1h' });

beforeAll(async () => {
  const { bao } = world();
  await writePolicy(bao, 'oidc', 'path "identity/oidc/token/brief" { capabilities = ["read"] }');
  const bound = { bound_service_account_names: ['shop'], bound_service_account_namespaces: ['default'] };
  const brief = { ...bound, token_policies: ['shop', 'oidc'], token_ttl: '6s', token_max_ttl: '6s' };
  await bao.api('PUT', 'auth/kubernetes/role/brief', brief);
  await bao.api('PUT', 'auth/kubernetes/role/oidc', { ...bound, token_policies: ['oidc'] });
});

async function setUp(secrets: object, content: string, auth: object = {}) {
  const place = await scene.place();
  const dir = join(place.dir, 'out');
  const admin = join(place.dir, 'admin.sock');
  const api = join(place.dir, 'api.sock');
  const config = await place.config({
    backends: { bao: { ...baoOf(world(), auth), timeout: '500ms' } },
    secrets,
    outputs: { shop: { dir, files: { file: { content } } } },
    admin: { socket: admin },
    api: { socket: api },
  });
  const agent = scene.run(config);
  await agent.waitFor('output-published');
  const statusOf = async (name: string) => {
    const { secrets } = JSON.parse((await get(api, '/v1/status')).body);
    return secrets.find((one: { name: string }) => one.name === name);
  };
  return { agent, dir, admin, statusOf };
}

describe('on a real OpenBao', () => {
  it('a static role that is rotated by hand is followed at refresh, weeks before its announced rotation', async () => {
    const { bao, postgres } = world();
    await addStaticRole(bao, postgres, { role: 'monthly', rotationPeriod: '720h' });
    const secrets = { db: { read: 'database/static-creds/monthly', refresh: '500ms' } };
    const { dir } = await setUp(secrets, '{{db.password}}');
    const before = published(dir)?.['file'];
    await bao.api('POST', 'database/rotate-role/monthly');
    await eventually(() => expect(published(dir)?.['file']).not.toBe(before), 5_000);
    const { data } = (await bao.api('GET', 'database/static-creds/monthly')) as { data: { password: string } };
    expect(published(dir)).toEqual({ file: data.password });
  });

  it('an identity token is fetched again before it ends, and status shows the end', async () => {
    const { bao } = world();
    await bao.api('POST', 'identity/oidc/key/brief', { allowed_client_ids: '*' });
    await bao.api('POST', 'identity/oidc/role/brief', { key: 'brief', ttl: '9s' });
    const secrets = { id: { read: 'identity/oidc/token/brief' } };
    const { agent, dir, statusOf } = await setUp(secrets, '{{id.token}}', { role: 'oidc' });
    const status = await statusOf('id');
    expect([status.state, status.life]).toEqual(['fresh', 'ends']);
    expect(Math.abs(Date.parse(status.endsAt) - Date.parse(status.fetchedAt) - 9_000)).toBeLessThan(1_000);
    for (const _ of Array(50)) {
      const [, payload = ''] = published(dir)?.['file']?.split('.') ?? [];
      const { exp } = JSON.parse(Buffer.from(payload, 'base64url').toString());
      expect(exp * 1000).toBeGreaterThan(Date.now());
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    expect(agent.facts('secret-changed').length).toBeLessThan(5);
  });

  it('a lease is expired for state, readiness and metrics when its login has ended, long before its next attempt', async () => {
    const secrets = { db: { read: 'database/creds/shop' } };
    const { agent, admin, statusOf } = await setUp(secrets, '{{db.password}}', { role: 'brief' });
    await world().bao.kill();
    const { endsAt, state } = await statusOf('db');
    expect([state, Date.parse(endsAt) - Date.now() < 20_000]).toEqual(['fresh', true]);
    const expired = await agent.waitFor('secret-state', { fits: (line) => line['state'] === 'expired' });
    expect(Math.abs(Date.parse(expired.time) - Date.parse(endsAt))).toBeLessThan(2_000);
    expect((await statusOf('db')).state).toBe('expired');
    expect(problemsOf(await health(admin, 'readyz'))).toContain('SECRET_EXPIRED secrets.db');
    const families = await scrape(admin);
    expect(sampleOf(families, 'pannier_secret_state', { secret: 'db', state: 'expired' })).toBe(1);
    const ends = sampleOf(families, 'pannier_secret_expiry_timestamp_seconds', { secret: 'db' });
    expect((ends ?? Number.NaN) * 1000).toBeLessThan(Date.now());
  });
});
