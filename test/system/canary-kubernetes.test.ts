import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { refuseWith, startFakeApiServer } from '../backend/kubernetes/fake-api-server.ts';
import { createPlace, eventually, runAgent, startAgent } from './agent.helpers.ts';
import { CANARY, filesWithCanary, LOUD_LOG, loudIn } from './canary.helpers.ts';

const SECRET = '/api/v1/namespaces/shop/secrets/db';

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]();
});

async function setUp() {
  const server = await startFakeApiServer();
  open.push(server);
  const place = await createPlace();
  open.push(place);
  const { dir } = place;
  server.putSecret('db', { password: `${CANARY}-1`, bytes: Uint8Array.from([0xff, ...Buffer.from(CANARY)]) });
  server.putConfigMap('settings', { color: `${CANARY}-2` });
  return { server, place, dir, env: loudIn(dir) };
}

describe('of a cluster no value and no credential comes out anywhere but in the outputs', () => {
  it('with a token, watches, refusals of every kind, garbage, and every debug switch on', {
    timeout: 60_000,
  }, async () => {
    const { server, place, dir, env } = await setUp();
    writeFileSync(join(dir, 'token'), `token-${CANARY}`);
    const config = await place.config({
      log: LOUD_LOG,
      backends: { k8s: { kind: 'kubernetes', address: server.address, tokenFile: './token', namespace: 'shop' } },
      secrets: { db: { kubernetesSecret: 'db', refresh: '1s' }, settings: { configMap: 'settings', refresh: '1s' } },
      outputs: { o: { dir: './out', files: { 'app.json': { content: '{{db.password}} {{settings.color}}' } } } },
    });
    const agent = startAgent(['run', '-c', config], { env });
    open.push({ [Symbol.asyncDispose]: async () => void (await agent.stop()) });
    await agent.waitFor('output-published');
    await eventually(() => expect(server.openWatches).toBe(2));
    server.sendLine(`{"type": "ADDED", "object": ${CANARY}`);
    for (const [status, code] of [
      [401, 'AUTH_DENIED'],
      [403, 'SECRET_DENIED'],
      [500, 'BACKEND_UNAVAILABLE'],
      [400, 'BACKEND_REJECTED'],
    ] as const) {
      server.fault = (_, response) => {
        refuseWith(response, status, `Reason${CANARY}`, `message ${CANARY}`);
        return true;
      };
      server.endWatches('destroy');
      await agent.waitFor('secret-failed', { fits: (line) => line['code'] === code });
    }
    server.fault = (got, response) => {
      if (got.path !== SECRET) return false;
      response.end(`{"kind":"Secret","metadata":{"resourceVersion":"1"},"data":{"a":"${CANARY}!"}}`);
      return true;
    };
    await agent.waitFor('secret-failed', { fits: (line) => line['code'] === 'BACKEND_MALFORMED' });
    server.fault = undefined;
    server.putSecret('db', { password: `${CANARY}-3` });
    await eventually(() => expect(readFileSync(join(dir, 'out/app.json'), 'utf8')).toContain(`${CANARY}-3`));
    expect(await agent.stop()).toBe(0);
    expect(agent.output()).not.toContain(CANARY);
    expect(filesWithCanary(dir).filter((file) => !file.startsWith('out/'))).toEqual(['token']);
    for (const command of ['doctor', 'policy', 'render']) {
      const done = await runAgent([command, '-c', config, ...(command === 'render' ? ['--quiet'] : [])], { env });
      expect([command, done.output().includes(CANARY)]).toEqual([command, command === 'render' && done.status === 0]);
    }
  });

  it('with a kubeconfig and a plugin, also a plugin that fails', { timeout: 60_000 }, async () => {
    const { server, place, dir, env } = await setUp();
    const version = 'client.authentication.k8s.io/v1';
    const credential = { kind: 'ExecCredential', apiVersion: version, status: { token: `token-${CANARY}` } };
    const plugin = (text: string) => {
      writeFileSync(join(dir, 'plugin'), `#!/bin/sh\n${text}\n`);
      chmodSync(join(dir, 'plugin'), 0o755);
    };
    const user = { exec: { apiVersion: version, command: './plugin', args: [`arg-${CANARY}`] } };
    const kubeconfig = {
      'current-context': 'x',
      clusters: [{ name: 'x', cluster: { server: server.address } }],
      users: [{ name: 'x', user }],
      contexts: [{ name: 'x', context: { cluster: 'x', user: 'x', namespace: 'shop' } }],
    };
    writeFileSync(join(dir, 'kubeconfig'), JSON.stringify(kubeconfig));
    const config = await place.config({
      log: LOUD_LOG,
      backends: { k8s: { kind: 'kubernetes', kubeconfig: './kubeconfig' } },
      secrets: { db: { kubernetesSecret: 'db' } },
      outputs: { o: { dir: './out', files: { password: { format: 'raw', from: 'db.password' } } } },
    });
    plugin(`printf '%s' '${JSON.stringify(credential)}'; echo noise ${CANARY} >&2`);
    const good = await runAgent(['init', '-c', config], { env });
    expect([good.status, good.output().includes(CANARY)]).toEqual([0, false]);
    expect(server.got[0]?.token).toBe(`token-${CANARY}`);
    plugin(`echo '{"token": "${CANARY}"'; echo noise ${CANARY} >&2; exit 1`);
    const failed = await runAgent(['init', '-c', config, '--timeout', '2s'], { env });
    expect([failed.status, failed.output().includes(CANARY)]).toEqual([4, false]);
    expect(failed.output()).toContain('AUTH_NO_CREDENTIALS');
    expect(filesWithCanary(dir).filter((file) => !file.startsWith('out/'))).toEqual(['kubeconfig', 'plugin']);
  });
});
