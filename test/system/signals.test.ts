import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { delimiter, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { hang, reply, route, startFaultServer } from '../faults/fault-server.ts';
import type { Agent } from './agent.helpers.ts';
import { password } from './faulty-vault.helpers.ts';
import { outputsOf, writePassword } from './file-backend.helpers.ts';
import { published, useScene } from './openbao.helpers.ts';

const scene = useScene();
const run = promisify(execFile);

/** A running agent that cannot revoke its login, since the server does not answer: its stop takes a while. */
async function startSlowToStop(): Promise<Agent> {
  const token = { ttl: 0, expire_time: null, renewable: false, num_uses: 0 };
  const server = scene.keep(
    await startFaultServer(
      route({
        '/v1/auth/token/lookup-self': reply(200, JSON.stringify({ data: token })),
        '/v1/auth/token/revoke-self': hang,
        '/v1/x/app': password('one'),
      }),
    ),
  );
  const place = await scene.place();
  const tokenFile = join(place.dir, 'token');
  await writeFile(tokenFile, 's.good');
  const auth = { method: 'token', tokenFile, revokeOnExit: true };
  const agent = scene.run(
    await place.config({
      backends: { bao: { kind: 'vault', address: server.address, timeout: '1h', auth } },
      secrets: { app: { read: 'x/app' } },
      outputs: { out: { dir: join(place.dir, 'out'), files: { password: { content: '{{app.password}}' } } } },
    }),
  );
  await agent.waitFor('output-published');
  return agent;
}

async function startQuick(): Promise<{ agent: Agent; dir: string }> {
  const place = await scene.place();
  await writePassword(place, 'one');
  const agent = scene.run(await place.config(outputsOf(place.dir, { out: {} })));
  await agent.waitFor('output-published');
  return { agent, dir: join(place.dir, 'out') };
}

describe('signals to run', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('%s stops run with 0, and the files stay', async (signal) => {
    const { agent, dir } = await startQuick();
    agent.kill(signal);
    expect(await agent.ended).toBe(0);
    expect(agent.facts('agent-stopping')).toMatchObject([{ reason: signal }]);
    expect(published(dir)).toEqual({ password: 'one' });
  });

  it('a stop that waits for a backend is bounded, and still ends with 0', async () => {
    const agent = await startSlowToStop();
    agent.kill('SIGTERM');
    expect(await agent.ended).toBe(0);
    expect(agent.facts('login-revoked')).toMatchObject([{ code: 'BACKEND_TIMEOUT', level: 'warn' }]);
  });

  it.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const)('a second signal (%s) ends run at once, with %i', async (second, status) => {
    const agent = await startSlowToStop();
    agent.kill('SIGINT');
    await agent.waitFor('agent-stopping');
    agent.kill(second);
    expect(await agent.ended).toBe(status);
    expect(agent.facts('login-revoked')).toEqual([]);
  });

  it('SIGUSR1 opens no inspector, and the agent goes on', async (context) => {
    context.skip(await listens(9229), 'something listens on the port of the inspector already');
    const { agent, dir } = await startQuick();
    agent.kill('SIGUSR1');
    await writePassword({ dir: join(dir, '..') }, 'two');
    await agent.waitFor('output-published', { count: 2 });
    expect(await listens(9229)).toBe(false);
    expect(agent.output()).not.toContain('Debugger');
    expect(await agent.stop()).toBe(0);
  });
});

describe('an older Node', () => {
  it('ends with one line that says which Node is needed, and status 2', async (context) => {
    const old = await findOldNode();
    if (old === undefined) return context.skip('no Node before 22 is on the PATH');
    for (const command of ['run', 'init', 'validate']) {
      const ended = run(old.path, [resolve('dist/pannier.js'), command]);
      await expect(ended).rejects.toMatchObject({
        code: 2,
        stdout: '',
        stderr: `pannier needs Node 22.22 or newer; this is ${old.version}\n`,
      });
    }
  });
});

function listens(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      done(true);
    });
    socket.once('error', () => done(false));
  });
}

async function findOldNode(): Promise<{ path: string; version: string } | undefined> {
  for (const folder of `${process.env['PATH']}:/usr/local/bin:/usr/bin`.split(delimiter)) {
    const path = join(folder, 'node');
    const version = await run(path, ['--version']).then(
      ({ stdout }) => stdout.trim().slice(1),
      () => undefined,
    );
    if (version !== undefined && Number.parseInt(version, 10) < 22) return { path, version };
  }
  return undefined;
}
