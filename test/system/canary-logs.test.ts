import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startReceiver } from '../otlp/receiver.helpers.ts';
import { eventually } from './agent.helpers.ts';
import { LOUD } from './canary.helpers.ts';
import { get } from './observe.helpers.ts';
import { baoOf, published, useScene, useWorld } from './openbao.helpers.ts';

/** Part of every value, of every private path, and of the receiver's own credential. */
const CANARY = 'c4n4ry';

const scene = useScene();
const world = useWorld();

describe('no value comes out in a log line', () => {
  it.each(['socket', 'stdout'])(
    'by OTLP, and none in the audit by %s, whether all is well or failing, with every debug switch on',
    async (way) => {
      await using receiver = await startReceiver();
      const { putSecret } = world();
      await putSecret('app', { password: CANARY, team: CANARY });
      await putSecret(CANARY, { key: `${CANARY}-1` });
      const place = await scene.place();
      const at = (name: string) => join(place.dir, name);
      const token = await world().login();
      let audited = '';
      const server = createServer((socket) => {
        socket.on('data', (bytes) => {
          audited += bytes.toString();
        });
      });
      await new Promise<void>((resolve) => server.listen(at('audit.sock'), resolve));
      const config = await place.config({
        log: {
          ...{ level: 'trace', format: 'json', otlp: { endpoint: receiver.address } },
          auditTo: way === 'stdout' ? 'stdout' : `unix://${at('audit.sock')}`,
        },
        backends: {
          bao: baoOf(world()),
          token: { kind: 'vault', address: world().bao.address, auth: { method: 'token', token: '${env:TOKEN}' } },
        },
        secrets: {
          app: { backend: 'bao', kv: 'secret/shop/app', refresh: '200ms' },
          denied: { backend: 'token', kv: 'secret/other' },
        },
        outputs: {
          good: {
            dir: at('good'),
            quiet: '50ms',
            files: {
              f: {
                content: '{{app.password}} {{#with (secret "secret/shop/" app.team backend="bao")}}{{key}}{{/with}}',
              },
            },
            reload: [{ command: { argv: ['/bin/sh', '-c', `grep -q ${CANARY} '${at('good')}/f' && exit 1`] } }],
            reloadOnFirst: true,
          },
          bad: { dir: at('bad'), files: { f: { content: '{{app.password.nope}}' } } },
          waits: { dir: at('waits'), files: { f: { content: '{{denied.x}}' } } },
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
