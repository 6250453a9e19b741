import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startReceiver } from '../otlp/receiver.helpers.ts';
import { LOUD } from './canary.helpers.ts';
import { get } from './observe.helpers.ts';
import { baoOf, published, useScene, useWorld } from './openbao.helpers.ts';

/** Part of every value, of every private path, and of the receiver's own credential. */
const CANARY = 'c4n4ry';

const scene = useScene();
const world = useWorld();

describe('no value comes out in a trace', () => {
  it('no private path and no token, whether all is well or failing, with every debug switch on', async () => {
    await using receiver = await startReceiver();
    const { putSecret } = world();
    await putSecret('app', { password: CANARY, team: CANARY });
    await putSecret(CANARY, { key: `${CANARY}-1` });
    const place = await scene.place();
    const at = (name: string) => join(place.dir, name);
    const token = await world().login();
    const config = await place.config({
      log: { level: 'trace', format: 'json' },
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
          dir: at('good'),
          quiet: '50ms',
          files: {
            f: { content: '{{app.password}} {{#with (secret "secret/shop/" app.team backend="bao")}}{{key}}{{/with}}' },
          },
          check: { command: { argv: ['/bin/sh', '-c', `grep -q -- -2 '{dir}/f' || exit 0; cat '{dir}/f'; exit 1`] } },
          reload: [{ command: { argv: ['/bin/sh', '-c', `cat ${at('good')}/f >&2; exit 1`] } }],
          reloadOnFirst: true,
        },
        bad: { dir: at('bad'), files: { f: { content: '{{app.password.nope}}' } } },
        waits: { dir: at('waits'), files: { f: { content: '{{denied.x}}' } } },
        gone: {
          dir: at('gone'),
          files: { f: { content: '{{#with (secret "secret/gone/" app.password backend="bao")}}{{key}}{{/with}}' } },
        },
      },
      api: { socket: at('api.sock'), control: true },
      traces: { endpoint: receiver.address },
    });
    const env = { ...LOUD, TOKEN: token, OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer%20${CANARY}-header` };
    const agent = scene.run(config, { env });
    await agent.waitFor('output-failed', { fits: ({ output }) => output === 'bad' });
    await agent.waitFor('secret-failed', { fits: ({ secrets }) => String(secrets).includes('denied') });
    await agent.waitFor('reload-failed');
    expect(published(at('good'))?.['f']).toContain(CANARY);
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    await get(at('api.sock'), `/v1/secrets/${CANARY}`, { traceparent });
    await get(at('api.sock'), '/v1/secrets/app', { traceparent });
    await putSecret('app', { password: `${CANARY}-2`, team: CANARY });
    await agent.waitFor('output-checked', { fits: ({ code }) => code !== undefined });
    await world().bao.stop();
    await agent.waitFor('secret-state', { fits: ({ state }) => state === 'expired' });
    await agent.stop();

    const said = receiver.requests.map(({ text, path }) => `${path} ${text}`).join('\n');
    // The texts are those that could show them.
    const names = new Set(receiver.spans().map(({ name }) => name));
    for (const name of ['log in', 'backend read', 'check', 'reload by command', 'GET /v1/secrets/:name']) {
      expect(names).toContain(name);
    }
    for (const part of ['RENDER_', 'SECRET_DENIED', 'OUTPUT_CHECK_FAILED', 'BACKEND_UNREACHABLE', '(computed)']) {
      expect(said).toContain(part);
    }
    expect(receiver.requests[0]?.headers.authorization).toBe(`Bearer ${CANARY}-header`);
    expect(said).not.toContain(CANARY);
    expect(said).not.toContain(token);
    expect(agent.output()).not.toContain(`${CANARY}-header`);
  });
});
