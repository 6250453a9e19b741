import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { get } from './observe.helpers.ts';
import { baoOf, published, useScene, useWorld } from './openbao.helpers.ts';

/** Part of every value and of every private path. */
const CANARY = 'c4n4ry';

const scene = useScene();
const world = useWorld();

describe('no value comes out of the admin listener', () => {
  it('in health, metrics or the status page: no value, private path or token, whether all is well or failing', async () => {
    const { putSecret } = world();
    await putSecret('app', { password: CANARY, team: CANARY });
    await putSecret(CANARY, { key: `${CANARY}-1` });
    const place = await scene.place();
    const dir = join(place.dir, 'good');
    const admin = join(place.dir, 'admin.sock');
    const token = await world().login();
    const config = await place.config({
      backends: {
        bao: baoOf(world()),
        token: { kind: 'vault', address: world().bao.address, auth: { method: 'token', token: '${env:TOKEN}' } },
      },
      secrets: {
        app: { backend: 'bao', kv: 'secret/shop/app', refresh: '200ms', maxStale: '1s' },
        denied: { backend: 'token', kv: 'secret/other' },
      },
      outputs: {
        good: {
          dir,
          files: {
            f: { content: '{{app.password}} {{#with (secret "secret/shop/" app.team backend="bao")}}{{key}}{{/with}}' },
          },
        },
        bad: { dir: join(place.dir, 'bad'), files: { f: { content: '{{app.password.nope}}' } } },
        waits: { dir: join(place.dir, 'waits'), files: { f: { content: '{{denied.x}}' } } },
        gone: {
          dir: join(place.dir, 'gone'),
          files: { f: { content: '{{#with (secret "secret/gone/" app.password backend="bao")}}{{key}}{{/with}}' } },
        },
      },
      admin: { socket: admin, page: true },
    });
    const agent = scene.run(config, { env: { TOKEN: token } });
    await agent.waitFor('output-published', { fits: ({ output }) => output === 'good' });
    await agent.waitFor('output-failed', { fits: ({ output }) => output === 'bad' });
    await agent.waitFor('secret-failed', { fits: ({ secrets }) => String(secrets).includes('denied') });
    const said = await everything(admin);
    await world().bao.stop();
    await agent.waitFor('secret-state', { fits: ({ state }) => state === 'expired' });
    const all = said + (await everything(admin));

    // The agent had the values, and the texts are those that could show them.
    expect(published(dir)?.['f']).toContain(CANARY);
    for (const part of [
      'RENDER_',
      'SECRET_EXPIRED',
      'outputs.waits',
      'pannier_failures_total',
      'operation="read"',
      '>denied<',
    ]) {
      expect(all).toContain(part);
    }
    expect(all).not.toContain(CANARY);
    expect(all).not.toContain(token);
  });
});

async function everything(admin: string): Promise<string> {
  const open = { Accept: 'application/openmetrics-text; version=1.0.0' };
  const answers = await Promise.all([
    ...['/', '/startupz', '/readyz', '/livez', '/metrics', '/status'].map((path) => get(admin, path)),
    get(admin, '/metrics', open),
  ]);
  return answers.map(({ body }) => body).join('\n');
}
