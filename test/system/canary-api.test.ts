import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { findFreePort } from '../servers/free-port.ts';
import { runAgent } from './agent.helpers.ts';
import { LOUD, LOUD_LOG } from './canary.helpers.ts';
import { fileBackend, writeSecrets } from './file-backend.helpers.ts';
import { useScene } from './openbao.helpers.ts';

const scene = useScene();
const CANARY = 's3cr3t-canary-api';
const TOKEN = `${CANARY}-token`;

describe('the local API shows values only to clients that may read them', () => {
  it('in logs, errors, arguments or refusals, with every debug switch on', async () => {
    const at = await scene.place();
    const socket = join(at.dir, 'api.sock');
    const port = await findFreePort();
    await writeFile(join(at.dir, 'token'), TOKEN);
    await writeSecrets(at, {
      app: { password: `${CANARY}-1`, nested: { a: `${CANARY}-2` } },
      hidden: { password: `${CANARY}-3` },
    });
    const config = await at.config({
      log: LOUD_LOG,
      backends: fileBackend,
      secrets: { app: { key: 'app' }, hidden: { key: 'hidden' } },
      api: {
        audit: 'all',
        listeners: [
          { socket, secrets: ['app'], control: true },
          { listen: `127.0.0.1:${port}`, tokenFile: './token' },
        ],
      },
    });
    const agent = scene.run(config, { env: LOUD });
    await agent.waitFor('secret-changed', { count: 2 });
    const curl = async (path: string, ...more: string[]) =>
      (await promisify(execFile)('curl', ['-s', ...more, path.startsWith('/') ? `http://localhost${path}` : path]))
        .stdout;
    const local = (path: string, ...more: string[]) => curl(path, '--unix-socket', socket, ...more);
    const tcp = (path: string, ...more: string[]) => curl(`http://127.0.0.1:${port}${path}`, ...more);

    // The API does show it where it may.
    expect(await local('/v1/secrets/app/password')).toBe(`${CANARY}-1`);
    expect(await tcp('/v1/secrets/hidden/password', '-H', `X-Pannier-Token: ${TOKEN}`)).toBe(`${CANARY}-3`);
    expect(await local('/secretsmanager/get?secretId=app')).toContain(`${CANARY}-2`);
    expect((await runAgent(['get', 'app.password', '--socket', socket], { env: LOUD })).stdout()).toBe(`${CANARY}-1`);

    const refusals = await Promise.all([
      local('/v1/secrets'),
      local('/v1/status'),
      local('/v1/openapi.json'),
      local('/v1/secrets/hidden'),
      local('/v1/hidden'),
      local('/v1/watch?secret=hidden'),
      local(`/v1/secrets/app/nope`),
      local('/v1/secrets/app/refresh', '-X', 'POST'),
      local('/v1/secrets/app', '-d', 'x'),
      local('/v1/secrets/app', '-H', 'Via: x'),
      tcp('/v1/secrets/app'),
      tcp('/v1/secrets/app', '-H', `X-Pannier-Token: x${TOKEN.slice(1)}`),
      tcp('/v1/secrets/app', '-H', `X-Pannier-Token: ${TOKEN}`, '-H', 'Host: evil.example'),
    ]);
    await writeFile(join(at.dir, 'secrets.json'), `{"app": {"password": "${CANARY}-4", ${CANARY}`);
    await agent.waitFor('secret-failed');
    refusals.push(await local('/v1/secrets/app/refresh', '-X', 'POST'), await local('/v1/status'));
    expect(refusals.at(-1)).toContain('BACKEND_FILE');
    const wrong = await runAgent(['get', 'hidden', '--socket', socket], { env: LOUD });
    expect(wrong.status).toBe(1);
    const argv = readFileSync(`/proc/${agent.pid}/cmdline`, 'utf8');
    await agent.stop();
    expect(agent.facts('api-audit').filter(({ action }) => action === 'read').length).toBeGreaterThan(3);
    for (const said of [...refusals, wrong.output(), argv, agent.output()]) expect(said).not.toContain(CANARY);
  });
});
