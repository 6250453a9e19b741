import { symlinkSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Agent, createPlace, type Place, runAgent, startAgent } from './agent.helpers.ts';
import { fileBackend, writeSecrets } from './file-backend.helpers.ts';
import { runOnTerminal } from './terminal.helpers.ts';

const CANARY = 's3cr3t-value';

let place: Place;
let agent: Agent;
let config: string;
beforeEach(async () => {
  place = await createPlace();
  await writeSecrets(place, { app: { password: CANARY, user: 'shop' }, db: { password: CANARY } });
  config = await place.config({
    backends: fileBackend,
    secrets: { app: { key: 'app' }, db: { key: 'db' } },
    api: {
      listeners: [
        { socket: './all.sock', control: true },
        { socket: './some.sock', secrets: ['db'] },
      ],
    },
  });
  agent = startAgent(['run', '-c', config]);
  await agent.waitFor('listener-opened', { count: 2 });
  await agent.waitFor('secret-changed', { count: 2 });
});
afterEach(async () => {
  await agent.stop();
  await place[Symbol.asyncDispose]();
});

/** What a failing command line says. */
async function said(...args: readonly string[]): Promise<string> {
  const { status, stderr, stdout } = await runAgent(args);
  expect([status, stdout()]).toEqual([1, '']);
  expect(stderr()).not.toContain(CANARY);
  return stderr();
}

describe('a command that asks an agent', () => {
  it('names the fields there are, and the one that was meant', async () => {
    const unknown = 'app.passwort: the secret app has no field named "passwort"; did you mean "password"?';
    const wanted = `${unknown} (API_UNKNOWN_FIELD). Its fields are password, user.\n`;
    expect(await said('get', 'app.passwort', '-c', config)).toBe(wanted);
    expect(await said('get', 'app.passwort', '--json', '-c', config)).toContain('Its fields are password, user.');
    expect(await said('get', 'app.passwort', '--direct', '-c', config)).toContain('Its fields are password, user.');
  });

  it('names the secrets that it may see, and no others', async () => {
    const unknown = 'ap: there is no secret named "ap"; did you mean "app"? (API_UNKNOWN_SECRET).';
    expect(await said('get', 'ap', '-c', config)).toBe(`${unknown} This listener shows app, db.\n`);
    const few = await said('get', 'ap', '--socket', join(place.dir, 'some.sock'));
    expect(few).toBe('ap: there is no secret named "ap" (API_UNKNOWN_SECRET). This listener shows db.\n');
  });

  it.each([
    ['get', ['get', 'app']],
    ['status', ['status']],
    ['probe', ['probe', 'ready']],
  ])('%s says which socket was tried and why, and which there are', async (_, args) => {
    const path = join(place.dir, 'nope.sock');
    const text = await said(...args, '--socket', path);
    expect(text.startsWith(`${path}: there is no `)).toBe(true);
    expect(text).toContain('The path comes from --socket. Start the agent');
    expect(text).toContain(`There is a socket at ${join(place.dir, 'all.sock')}, ${join(place.dir, 'some.sock')}.`);
    symlinkSync(config, path);
    expect(await said(...args, '--socket', path)).toContain('this is no socket (AGENT_UNREACHABLE)');
  });
});

describe('the level of a running agent', () => {
  it('is changed over the API, and back', async () => {
    const ask = (level: string) => post(join(place.dir, 'all.sock'), `/v1/log/${level}`);
    expect(await ask('debug')).toEqual({ level: 'debug', configured: 'info' });
    expect(await post(join(place.dir, 'all.sock'), '/v1/secrets/app/refresh')).toMatchObject({ changed: false });
    await agent.waitFor('secret-unchanged');
    expect(await ask('configured')).toEqual({ level: 'info', configured: 'info' });
    await agent.waitFor('log-level-changed', { count: 2 }); // the answer may be read before the log is
    expect(await ask('warn')).toMatchObject({ code: 'API_MALFORMED' });
    expect(await post(join(place.dir, 'some.sock'), '/v1/log/debug')).toMatchObject({ code: 'API_NOT_ALLOWED' });
  });
});

describe('get --direct on a terminal', () => {
  it('leaves nothing on the terminal when nothing hangs', async () => {
    const { status, stdout, written } = await runOnTerminal(['get', 'app.user', '--direct', '-c', config]);
    expect([status, stdout, written]).toEqual([0, 'shop', '']);
  });
});

async function post(socketPath: string, path: string): Promise<unknown> {
  return await new Promise((resolve, reject) => {
    const sent = request({ socketPath, path, method: 'POST' }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve(JSON.parse(text)));
    });
    sent.on('error', reject).end();
  });
}
