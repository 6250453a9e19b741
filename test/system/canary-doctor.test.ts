import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { enableUserpass } from '../servers/index.ts';
import { runAgent } from './agent.helpers.ts';
import { CANARY, LOUD } from './canary.helpers.ts';
import { writeSecrets } from './file-backend.helpers.ts';
import { baoOf, useScene, useWorld } from './openbao.helpers.ts';

const scene = useScene();
const world = useWorld();

describe('no value and no credential comes out of the commands that look', () => {
  it('in doctor and policy, whether all is well or failing, with every debug switch on', async () => {
    const { bao, putSecret, tokenFile } = world();
    await putSecret('app', { password: CANARY, team: CANARY });
    await putSecret(CANARY, { key: CANARY });
    await enableUserpass(bao, { role: 'shop', policies: ['shop'], password: CANARY });
    const token = await world().login();
    const place = await scene.place();
    const at = (name: string) => join(place.dir, name);
    await Promise.all([
      writeFile(at('password'), CANARY),
      writeFile(at('wrong-password'), `${CANARY}-wrong`),
      writeFile(at('token'), token),
      writeFile(at('no-jwt'), `${CANARY}.${CANARY}`),
      writeFile(at('forged'), await world().review.mintToken({ serviceAccount: 'shop', forged: true })),
      writeFile(at('api-token'), `${CANARY}-0123456789abcdef`, { mode: 0o600 }),
      writeSecrets(place, { app: { password: CANARY } }),
    ]);
    const user = (passwordFile: string) => ({ method: 'userpass', username: 'shop', passwordFile });
    const backend = (auth: object) => ({ kind: 'vault', address: bao.address, auth });
    const config = await place.config({
      backends: {
        k8s: baoOf(world()),
        user: backend(user(at('password'))),
        wrong: backend(user(at('wrong-password'))),
        token: backend({ method: 'token', tokenFile: at('token') }),
        nojwt: baoOf(world(), { tokenFile: at('no-jwt') }),
        forged: baoOf(world(), { tokenFile: at('forged') }),
        demo: { kind: 'file', path: at('secrets.json') },
      },
      secrets: {
        app: { backend: 'k8s', kv: 'secret/shop/app' },
        mine: { backend: 'user', kv: 'secret/shop/app' },
        denied: { backend: 'token', kv: 'secret/elsewhere/x' },
        none: { backend: 'wrong', kv: 'secret/shop/app' },
        local: { backend: 'demo', key: 'app' },
        gone: { backend: 'demo', key: 'gone' },
      },
      outputs: {
        o: {
          dir: at('out'),
          files: {
            misspelt: { content: '{{app.password}}{{app.pasword}}{{local.pasword}}' },
            no: { format: 'raw', from: ['app.pasword'] },
            number: { content: '{{#if (gt app.password 1)}}x{{/if}}' },
            a: { content: '{{#with (secret "secret/shop/" app.team backend="k8s")}}{{key}}{{/with}}' },
          },
          reload: [{ command: { argv: ['true', CANARY] } }],
        },
      },
      api: { listeners: [{ listen: '127.0.0.1:1', tokenFile: at('api-token') }] },
    });
    const jwts = [tokenFile, at('forged')].map(async (file) => (await import('node:fs')).readFileSync(file, 'utf8'));
    const signatures = (await Promise.all(jwts)).map((jwt) => jwt.trim().split('.')[2] ?? '');
    const lines = [
      ['doctor', '-c', config],
      ['doctor', '-c', config, '--json'],
      ['policy', '-c', config],
      ['policy', '-c', config, '--json', '--backend', 'k8s', '--direct'],
      ['policy', '-c', config, '--backend', 'wrong', '--direct'],
      ['policy', '-c', config, '--backend', 'k8s', '--token-file', at('token')],
    ];
    for (const line of lines) {
      const agent = await runAgent(line, { env: LOUD });
      expect(agent.output().length, line.join(' ')).toBeGreaterThan(100);
      for (const hidden of [CANARY, token, ...signatures]) {
        expect(agent.output().includes(hidden), `${line.join(' ')} shows ${hidden.slice(0, 6)}`).toBe(false);
      }
    }
  });
});
