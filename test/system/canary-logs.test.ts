import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startReceiver } from '../otlp/receiver.helpers.ts';
import { eventually } from './agent.helpers.ts';
import { CANARY, LOUD, LOUD_LOG, wellAndFailing } from './canary.helpers.ts';
import { get } from './observe.helpers.ts';
import { published, useScene, useWorld } from './openbao.helpers.ts';

const scene = useScene();
const world = useWorld();

describe('no value comes out in a log line', () => {
  it.each(['socket', 'stdout'])(
    'by OTLP, and none in the audit by %s, whether all is well or failing, with every debug switch on',
    async (way) => {
      await using receiver = await startReceiver();
      const place = await scene.place();
      const at = (name: string) => join(place.dir, name);
      let audited = '';
      const server = createServer((socket) => {
        socket.on('data', (bytes) => {
          audited += bytes.toString();
        });
      });
      await new Promise<void>((resolve) => server.listen(at('audit.sock'), resolve));
      const { sections, token } = await wellAndFailing(world(), place.dir, {
        good: {
          quiet: '50ms',
          reload: [{ command: { argv: ['/bin/sh', '-c', `grep -q ${CANARY} '${at('good')}/f' && exit 1`] } }],
          reloadOnFirst: true,
        },
      });
      const config = await place.config({
        ...sections,
        log: {
          ...LOUD_LOG,
          otlp: { endpoint: receiver.address },
          auditTo: way === 'stdout' ? 'stdout' : `unix://${at('audit.sock')}`,
        },
        api: { socket: at('api.sock'), control: true, audit: 'all' },
      });
      const env = { ...LOUD, TOKEN: token, OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer%20${CANARY}-header` };
      const agent = scene.run(config, { env });
      await agent.waitFor('output-failed', { fits: ({ output }) => output === 'bad' });
      await agent.waitFor('secret-failed', { fits: ({ secrets }) => String(secrets).includes('denied') });
      await agent.waitFor('reload-failed');
      expect(published(at('good'))?.['f']).toContain(CANARY);
      const headers = { 'X-Pannier-Request': 'true', 'X-Note': CANARY };
      for (const name of [CANARY, 'app', `app/${CANARY}`]) await get(at('api.sock'), `/v1/secrets/${name}`, headers);
      const lines = () => (way === 'stdout' ? agent.stdout() : audited);
      await eventually(() => expect(lines()).toContain('"outcome":"done"'));
      expect(await agent.stop()).toBe(0);
      server.close();

      const said = receiver.requests.map(({ text, path }) => `${path} ${text}`).join('\n');
      const events = new Set(receiver.logs().map(({ event }) => event));
      for (const event of ['login-made', 'backend-answered', 'secret-failed', 'reload-failed', 'output-failed']) {
        expect(events).toContain(`pannier.${event}`);
      }
      expect(events).not.toContain('pannier.api-audit');
      expect(receiver.requests[0]?.headers.authorization).toBe(`Bearer ${CANARY}-header`);
      expect(`${said}${lines()}`).not.toContain(CANARY);
      expect(`${said}${lines()}`).not.toContain(token);
      expect(agent.output()).not.toContain(`${CANARY}-header`);
    },
  );
});
