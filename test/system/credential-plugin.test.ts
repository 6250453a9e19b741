import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createPlace, eventually, isRunning, type Place, runAgent, startAgent } from './agent.helpers.ts';

let place: Place | undefined;
afterEach(() => place?.[Symbol.asyncDispose]());

describe('a credential plugin of a kubeconfig that hangs', () => {
  it('does not outlive the deadline of init, which names it', async () => {
    const { config, started } = await setUp();
    const init = await runAgent(['init', '-c', config, '--timeout', '4s']);
    expect(init.status).toBe(3);
    expect(init.stderr()).toMatch(/the credential plugin \S+\/plugin: no answer yet; .*: db \(AUTH_SERVICE_DOWN\)/);
    const pids = await started();
    await eventually(() => expect(pids.filter(isRunning)).toEqual([]));
  });

  it('does not outlive an agent that is told to stop', async () => {
    const { config, started } = await setUp();
    const agent = startAgent(['run', '-c', config]);
    const pids = await eventually(started);
    expect(pids.filter(isRunning)).toEqual(pids);
    expect(await agent.stop()).toBe(0);
    await eventually(() => expect(pids.filter(isRunning)).toEqual([]));
  });
});

/** The plugin has a child of its own; `started` gives the ids of both. */
async function setUp() {
  place = await createPlace();
  const { dir } = place;
  const [plugin, kubeconfig, pids] = ['plugin', 'kubeconfig', 'pids'].map((name) => join(dir, name)) as [
    string,
    string,
    string,
  ];
  await writeFile(plugin, `#!/bin/sh\nsleep 600 & echo $! $$ > ${pids}.new; mv ${pids}.new ${pids}; wait\n`);
  await chmod(plugin, 0o755);
  const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: './plugin', interactiveMode: 'Never' };
  await writeFile(
    kubeconfig,
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'shop',
      clusters: [{ name: 'prod', cluster: { server: 'https://127.0.0.1:9' } }],
      users: [{ name: 'agent', user: { exec } }],
      contexts: [{ name: 'shop', context: { cluster: 'prod', user: 'agent' } }],
    }),
  );
  const config = await place.config({
    backends: { k8s: { kind: 'kubernetes', kubeconfig, namespace: 'shop' } },
    secrets: { db: { kubernetesSecret: 'shop-db' } },
    outputs: { o: { dir: join(dir, 'out'), files: { 'app.json': { format: 'json', from: 'db' } } } },
  });
  const started = async () => (await readFile(pids, 'utf8')).trim().split(' ').map(Number);
  return { config, started };
}
