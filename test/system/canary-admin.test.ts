import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CANARY, wellAndFailing } from './canary.helpers.ts';
import { get } from './observe.helpers.ts';
import { published, useScene, useWorld } from './openbao.helpers.ts';

const scene = useScene();
const world = useWorld();

describe('no value comes out of the admin listener', () => {
  it('in health, metrics or the status page: no value, private path or token, whether all is well or failing', async () => {
    const place = await scene.place();
    const admin = join(place.dir, 'admin.sock');
    const { sections, token } = await wellAndFailing(world(), place.dir, { app: { maxStale: '1s' } });
    const config = await place.config({ ...sections, admin: { socket: admin, page: true } });
    const agent = scene.run(config, { env: { TOKEN: token } });
    await agent.waitFor('output-published', { fits: ({ output }) => output === 'good' });
    await agent.waitFor('output-failed', { fits: ({ output }) => output === 'bad' });
    await agent.waitFor('secret-failed', { fits: ({ secrets }) => String(secrets).includes('denied') });
    const said = await everything(admin);
    await world().bao.stop();
    await agent.waitFor('secret-state', { fits: ({ state }) => state === 'expired' });
    const all = said + (await everything(admin));

    // The agent had the values, and the texts are those that could show them.
    expect(published(join(place.dir, 'good'))?.['f']).toContain(CANARY);
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
