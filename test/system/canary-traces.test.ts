import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startReceiver } from '../otlp/receiver.helpers.ts';
import { CANARY, LOUD, LOUD_LOG, wellAndFailing } from './canary.helpers.ts';
import { get } from './observe.helpers.ts';
import { published, useScene, useWorld } from './openbao.helpers.ts';

const scene = useScene();
const world = useWorld();

describe('no value comes out in a trace', () => {
  it('no private path and no token, whether all is well or failing, with every debug switch on', async () => {
    await using receiver = await startReceiver();
    const place = await scene.place();
    const at = (name: string) => join(place.dir, name);
    const { sections, token } = await wellAndFailing(world(), place.dir, {
      app: { maxStale: '1s' },
      good: {
        quiet: '50ms',
        check: { command: { argv: ['/bin/sh', '-c', `grep -q -- -2 '{dir}/f' || exit 0; cat '{dir}/f'; exit 1`] } },
        reload: [{ command: { argv: ['/bin/sh', '-c', `cat ${at('good')}/f >&2; exit 1`] } }],
        reloadOnFirst: true,
      },
    });
    const config = await place.config({
      ...sections,
      log: LOUD_LOG,
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
    await world().putSecret('app', { password: `${CANARY}-2`, team: CANARY });
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
