import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { ask } from '../deliver/http/listener.helpers.ts';
import { isAlive } from '../process/children.helpers.ts';
import { eventually, type LogLine, type Place, runAgent } from './agent.helpers.ts';
import { execAppIn, execOf } from './exec.helpers.ts';
import { writePassword, writeSecrets } from './file-backend.helpers.ts';
import { get } from './observe.helpers.ts';
import { failuresOf, published, useScene } from './openbao.helpers.ts';

const scene = useScene();
const PASSWORD = { env: { PASSWORD: '{{app.password}}' } };

async function placeWith(password = 'one'): Promise<Place> {
  const place = await scene.place();
  await writePassword(place, password);
  return place;
}

/** Runs `exec` to its end, with a shell as the application. */
async function runExec(place: Place, script: string, exec: object = PASSWORD, args: readonly string[] = []) {
  const config = await place.config(execOf(exec));
  return runAgent(['exec', '-c', config, ...args, '--', 'sh', '-c', script]);
}

describe('exec', () => {
  it('gives the child its variables and its own streams, and ends with the status of the child', async () => {
    const agent = await runExec(await placeWith(), 'echo "got $PASSWORD"; echo loud >&2; exit 42');
    expect([agent.status, agent.stdout()]).toEqual([42, 'got one\n']);
    expect(agent.stderr()).toContain('loud\n');
  });

  it('restarts the child at the turn of its replica with spread, and at once when a client asks for it', async () => {
    const place = await placeWith();
    const app = execAppIn(place);
    const socket = join(place.dir, 'api.sock');
    const config = await place.config({ ...execOf({ ...PASSWORD, spread: '10m' }), api: { socket } });
    const agent = scene.exec(config, app.command, { env: { POD_UID: 'pod-7' } });
    await app.environment();
    await writePassword(place, 'two');
    const planned = await agent.waitFor('reload-planned');
    expect(planned).toMatchObject({ output: 'exec.env', inMs: expect.any(Number) });
    expect(Number(planned['inMs'])).toBeGreaterThan(0);
    expect(Number(planned['inMs'])).toBeLessThanOrEqual(600_000);
    const { stdout } = await runAgent(['status', '--json', '--socket', socket]);
    const [output] = (JSON.parse(stdout()) as { outputs: { name: string; state: string; reloadAt?: string }[] })
      .outputs;
    expect(output).toMatchObject({ name: 'exec.env', state: 'owed', reloadAt: expect.stringMatching(/Z$/) });
    expect(app.events().filter(([, event]) => event.startsWith('start '))).toHaveLength(1);
    expect((await get(socket, '/v1/outputs/exec.env/reload', {}, 'POST')).status).toBe(200);
    expect((await app.environment(2))['PASSWORD']).toBe('two');
  });

  it.each([
    ['kill -KILL $$', 137],
    ['kill -SEGV $$', 139],
    ['exit 0', 0],
  ])('%s gives the status %i', async (script, status) => {
    expect((await runExec(await placeWith(), script)).status).toBe(status);
  });

  it.each<[string, (dir: string) => string, number, string]>([
    ['is not there', (dir) => join(dir, 'none'), 127, 'ENOENT'],
    ['is not on PATH', () => 'surely-no-such-program', 127, 'ENOENT'],
    ['may not be executed', (dir) => join(dir, 'secrets.json'), 126, 'EACCES'],
  ])('a command that %s gives the status of shells, with the reason', async (_title, command, status, errno) => {
    const place = await placeWith();
    const config = await place.config(execOf(PASSWORD));
    const agent = await runAgent(['exec', '-c', config, '--', command(place.dir), 'argument']);
    expect(agent.status).toBe(status);
    expect(failuresOf(agent)).toMatchObject([{ code: 'EXEC_NOT_STARTED', place: 'exec.command' }]);
    expect(agent.stderr()).toContain(`(${errno})`);
    expect(agent.stderr()).not.toContain('argument');
  });

  it('takes the command behind --, or else that of the configuration', async () => {
    const place = await placeWith();
    const config = await place.config(execOf({ command: ['sh', '-c', 'exit 4'] }));
    expect((await runAgent(['exec', '-c', config])).status).toBe(4);
    expect((await runAgent(['exec', '-c', config, '--', 'sh', '-c', 'exit 5'])).status).toBe(5);
  });

  it('without any command ends with a configuration error', async () => {
    const place = await placeWith();
    const agent = await runAgent(['exec', '-c', await place.config(execOf(PASSWORD))]);
    expect([agent.status, failuresOf(agent).map(({ code, place: at }) => `${code} ${at}`)]).toEqual([
      2,
      ['CONFIG_MISSING exec.command'],
    ]);
  });

  it('works with files alone, and without the section exec', async () => {
    const place = await placeWith();
    const dir = join(place.dir, 'o');
    const outputs = { o: { dir, files: { password: { content: '{{app.password}}' } } } };
    const { exec: _, ...rest } = execOf({}, { outputs }) as Record<string, unknown>;
    const agent = await runAgent(['exec', '-c', await place.config(rest), '--', 'cat', join(dir, 'password')]);
    expect([agent.status, agent.stdout()]).toEqual([0, 'one']);
  });

  it('starts the child once, when all files and variables are published, and never before', async () => {
    const place = await placeWith();
    await writeSecrets(place, { app: { password: 'one' } });
    const app = execAppIn(place);
    const dir = join(place.dir, 'o');
    const config = await place.config(
      execOf(
        { ...PASSWORD, quiet: '2s' },
        {
          secrets: { app: { key: 'app' }, late: { key: 'late' } },
          outputs: { o: { dir, files: { late: { content: '{{late.password}}' } } } },
        },
      ),
    );
    const agent = scene.exec(config, app.command);
    const changed = (name: string) => ({ fits: ({ secrets }: LogLine) => (secrets as string[]).includes(name) });
    await agent.waitFor('output-published', { fits: ({ output }) => output === 'exec.env' });
    await agent.waitFor('secret-failed');
    await pause(300);
    expect([app.events(), agent.facts('child-started')]).toEqual([[], []]);
    await writeSecrets(place, { app: { password: 'two' } });
    await agent.waitFor('secret-changed', { ...changed('app'), count: 2 });
    // The file is published while the variables wait for further changes.
    await writeSecrets(place, { app: { password: 'two' }, late: { password: 'here' } });
    expect((await app.environment())['PASSWORD']).toBe('two');
    expect(published(dir)).toEqual({ late: 'here' });
    await pause(300);
    expect(agent.facts('child-started')).toHaveLength(1);
  });

  it('ends as init does when a child cannot be started within --timeout', async () => {
    const place = await placeWith();
    const secrets = { app: { key: 'app' }, gone: { key: 'gone' } };
    const config = await place.config(execOf({ env: { A: '{{gone.x}}', B: '{{app.password}}' } }, { secrets }));
    const agent = await runAgent(['exec', '-c', config, '--timeout', '500ms', '--', 'sh', '-c', 'touch started']);
    expect([agent.status, failuresOf(agent).map(({ code, place: at }) => `${code} ${at}`)]).toEqual([
      1,
      ['SECRET_NOT_FOUND secrets.gone.key'],
    ]);
    expect(agent.facts('child-started')).toEqual([]);
  });

  it('a value that no variable can hold is reported without it, and the child waits for a better one', async () => {
    const place = await placeWith('hunter2\0x');
    const app = execAppIn(place);
    const agent = scene.exec(await place.config(execOf(PASSWORD)), app.command);
    expect(await agent.waitFor('output-failed')).toMatchObject({ code: 'EXEC_VARIABLE', place: 'exec.env.PASSWORD' });
    await writePassword(place, 'two');
    expect((await app.environment())['PASSWORD']).toBe('two');
    expect(agent.output()).not.toContain('hunter2');
  });
});

describe('whole secrets', () => {
  it('are variables of the child, also with names that no shell can write, and exec.env wins over them', async () => {
    const place = await placeWith();
    const fields = { password: 'one', 'spring.datasource.url': 'jdbc:x', 'api-key': 'k', port: 8080, mode: 'secret' };
    await writeSecrets(place, { app: fields });
    const app = execAppIn(place);
    const exec = { from: ['app'], names: 'any', env: { mode: 'mine {{app.port}}' }, quiet: '100ms' };
    const agent = scene.exec(await place.config(execOf(exec)), app.command);
    expect(await app.environment()).toMatchObject({ ...fields, port: '8080', mode: 'mine 8080' });
    // A new field is a new variable, and one that is gone is gone: both start the child anew.
    await writeSecrets(place, { app: { password: 'two', added: 'x', port: 1 } });
    const environment = await app.environment(2);
    expect(environment).toMatchObject({ password: 'two', added: 'x', mode: 'mine 1' });
    expect(environment).not.toHaveProperty('api-key');
    expect(agent.output()).not.toContain('jdbc:x');
  });

  it('with names that no variable can have start no child, and one message names them all', async () => {
    const place = await placeWith();
    await writeSecrets(place, { app: { 'a-b': 'hunter2', 'c.d': 'hunter2', LD_PRELOAD: 'hunter2.so' } });
    const config = await place.config(execOf({ from: 'app' }));
    const agent = await runAgent(['exec', '-c', config, '--timeout', '1s', '--', 'sh', '-c', 'touch started']);
    const [failed] = failuresOf(agent);
    expect([agent.status, failed?.code, failed?.place]).toEqual([1, 'RENDER_KEY', 'exec.from']);
    for (const name of ['a-b', 'c.d', 'LD_PRELOAD', 'keys: identifier']) expect(agent.output()).toContain(name);
    expect(agent.output()).not.toContain('hunter2');
    expect(agent.facts('child-started')).toEqual([]);
  });
});

describe('new values', () => {
  it('stop the child and start it anew, once for changes that come together', async () => {
    const place = await placeWith();
    const app = execAppIn(place);
    const agent = scene.exec(await place.config(execOf({ ...PASSWORD, quiet: '400ms' })), app.command);
    const first = await app.pid();
    for (const password of ['two', 'three', 'four']) {
      await writePassword(place, password);
      await pause(100);
    }
    expect((await app.environment(2))['PASSWORD']).toBe('four');
    expect(isAlive(first)).toBe(false);
    expect(app.events().filter(([pid]) => pid === first)).toMatchObject([{}, [first, 'SIGTERM']]);
    await agent.waitFor('reload-done');
    expect(agent.facts('child-started')).toMatchObject([{ why: 'first' }, { why: 'changed' }]);
    expect(await agent.stop()).toBe(0);
  });

  it('are fetched before the old child is stopped: a secret that fails stops no child', async () => {
    const place = await placeWith();
    const app = execAppIn(place);
    const agent = scene.exec(await place.config(execOf(PASSWORD)), app.command);
    const pid = await app.pid();
    writeFileSync(join(place.dir, 'secrets.json'), '{"app": {');
    await agent.waitFor('secret-state', { fits: ({ state }) => state === 'stale' });
    await writeSecrets(place, { app: { other: 'x' } });
    await agent.waitFor('output-failed');
    await pause(200);
    expect([isAlive(pid), app.events().length]).toEqual([true, 1]);
  });

  it('with onChange: signal the child gets the signal and goes on', async () => {
    const place = await placeWith();
    const app = execAppIn(place);
    const config = await place.config(execOf({ ...PASSWORD, onChange: 'signal', signal: 'USR2' }));
    const agent = scene.exec(config, app.command);
    const pid = await app.pid();
    await writePassword(place, 'two');
    await agent.waitFor('reload-done');
    await eventually(() => expect(app.events().slice(1)).toEqual([[pid, 'SIGUSR2']]));
    expect(agent.facts('child-started')).toHaveLength(1);
  });

  it('with onChange: none nothing happens to the child', async () => {
    const place = await placeWith();
    const app = execAppIn(place);
    const agent = scene.exec(await place.config(execOf({ ...PASSWORD, onChange: 'none' })), app.command);
    await app.pid();
    await writePassword(place, 'two');
    await agent.waitFor('output-published', { count: 2 });
    await pause(300);
    expect(app.events()).toHaveLength(1);
  });

  it('of a file reach the child by a signal, which is not sent to a child that does not handle it', async () => {
    const place = await placeWith();
    const dir = join(place.dir, 'o');
    const files = { password: { content: '{{app.password}}' } };
    const reload = [{ signal: { name: 'HUP', child: true } }];
    const config = await place.config(execOf({}, { outputs: { o: { dir, files, reload } } }));
    const app = execAppIn(place);
    const agent = scene.exec(config, app.command);
    const pid = await app.pid();
    await writePassword(place, 'two');
    await agent.waitFor('reload-done');
    await eventually(() => expect(app.events().slice(1)).toEqual([[pid, 'SIGHUP']]));
    expect(published(dir)).toEqual({ password: 'two' });
    await agent.stop();

    const deaf = scene.exec(config, ['sleep', '60']);
    await deaf.waitFor('child-started');
    await writePassword(place, 'three');
    expect(await deaf.waitFor('reload-failed')).toMatchObject({ code: 'RELOAD_NO_HANDLER', step: 'signal' });
    expect(deaf.facts('child-ended')).toEqual([]);
  });

  it('of files and variables that come together are one restart, with all of them', async () => {
    const place = await placeWith();
    const dir = join(place.dir, 'o');
    const outputs = {
      o: {
        dir,
        files: { password: { content: '{{app.password}}' } },
        reload: [{ restart: { child: true } }],
        quiet: '300ms', // the variables are published long before the files
      },
    };
    const app = execAppIn(place);
    const agent = scene.exec(await place.config(execOf({ ...PASSWORD, quiet: '50ms' }, { outputs })), app.command);
    await app.pid();
    for (const [count, password] of [
      [2, 'two'],
      [3, 'three'],
    ] as const) {
      await writePassword(place, password);
      expect((await app.environment(count))['PASSWORD']).toBe(password);
      await agent.waitFor('reload-done', { count: 2 * (count - 1) });
      expect([published(dir), agent.facts('child-started').length]).toEqual([{ password }, count]);
    }
  });

  it('of the configuration reach the child too, and variables that it no longer names are gone', async () => {
    const place = await placeWith();
    const app = execAppIn(place);
    const agent = scene.exec(
      await place.config(execOf({ env: { PASSWORD: '{{app.password}}', OLD: 'x' } })),
      app.command,
    );
    await app.pid();
    await place.config(execOf({ env: { PASSWORD: '{{app.password}}', NEW: 'y' } }));
    const environment = await app.environment(2);
    expect([environment['PASSWORD'], environment['NEW'], environment['OLD']]).toEqual(['one', 'y', undefined]);
    await place.config(execOf({ evn: {} }));
    await agent.waitFor('config-rejected');
    await pause(200);
    expect(app.events().filter(([, what]) => what.startsWith('start'))).toHaveLength(2);
  });

  it('of secrets start a child that is crash-looping at once, which else waits for its backoff', async () => {
    const place = await placeWith();
    const config = await place.config(execOf({ ...PASSWORD, onExit: 'restart' }));
    const script = `echo "$PASSWORD" >> ${place.dir}/passwords; [ "$PASSWORD" = one ] && exit 3; exec sleep 60`;
    const agent = scene.exec(config, ['sh', '-c', script]);
    const ends = await agent.waitFor('child-ended', { count: 3 });
    expect(ends).toMatchObject({ status: 3 });
    for (const { retryInMs } of agent.facts('child-ended')) expect(retryInMs).toBeGreaterThanOrEqual(1_000);
    await writePassword(place, 'two');
    await agent.waitFor('child-started', { fits: ({ why }) => why === 'changed' });
    await eventually(() =>
      expect(readFileSync(join(place.dir, 'passwords'), 'utf8').trim().split('\n').at(-1)).toBe('two'),
    );
    expect(await agent.stop()).toBe(143);
  });
});

describe('the environment of the child', () => {
  const ours = {
    VAULT_TOKEN: 's.ours',
    BAO_TOKEN: 's.ours',
    PANNIER_CONFIG: '/nowhere',
    NOTIFY_SOCKET: '/nowhere.sock',
    MY_TOKEN: 's.configured',
    VAULT_ADDR: 'http://127.0.0.1:1',
    HOME: '/home/shop',
  };

  it("is the agent's without the credentials of its logins, and configured variables win", async () => {
    const place = await placeWith();
    const app = execAppIn(place);
    const token = { kind: 'vault', auth: { method: 'token', token: '${env:MY_TOKEN}' } };
    const config = await place.config(
      execOf(
        { env: { HOME: '{{app.password}}' } },
        {
          backends: { demo: { kind: 'file', path: './secrets.json' }, token },
          secrets: { app: { backend: 'demo', key: 'app' } },
        },
      ),
    );
    scene.exec(config, app.command, { env: ours });
    const { PATH, HOME, VAULT_ADDR, ...rest } = await app.environment();
    expect({ PATH, HOME, VAULT_ADDR }).toEqual({
      PATH: '/usr/bin:/bin',
      HOME: 'one',
      VAULT_ADDR: 'http://127.0.0.1:1',
    });
    expect(Object.keys(rest).filter((name) => name in ours)).toEqual([]);
    const raw = readFileSync(`/proc/${await app.pid()}/environ`, 'latin1');
    expect(raw).not.toContain('s.ours');
    expect(raw).not.toContain('s.configured');
  });

  it('with pristine has only the variables that are configured and inherited', async () => {
    const place = await placeWith();
    const app = execAppIn(place);
    const config = await place.config(
      execOf({ ...PASSWORD, pristine: true, inherit: ['PATH', 'VAULT_TOKEN', 'NONE'] }),
    );
    scene.exec(config, app.command, { env: ours });
    const { LC_CTYPE: _, ...environment } = await app.environment();
    expect(environment).toEqual({ PASSWORD: 'one', PATH: '/usr/bin:/bin', VAULT_TOKEN: 's.ours' });
  });
});

describe('the API of exec', () => {
  it('has the state of the environment, restarts the child on request, and stops exec with the child', async () => {
    const place = await placeWith();
    const app = execAppIn(place);
    const socket = join(place.dir, 'api.sock');
    const agent = scene.exec(await place.config(execOf(PASSWORD, { api: { socket, control: true } })), app.command);
    const first = await app.pid();
    const { body } = await ask(socket, '/v1/status');
    expect(JSON.parse(body).outputs).toEqual([
      {
        name: 'exec.env',
        state: 'settled',
        secrets: ['app'],
        generation: 1,
        statement: expect.objectContaining({ generation: 1, behind: false }),
      },
    ]);
    expect((await ask(socket, '/v1/outputs/exec.env/reload', 'POST')).status).toBe(200);
    expect(await app.pid(2)).not.toBe(first);
    expect(isAlive(first)).toBe(false);
    await ask(socket, '/v1/stop', 'POST');
    expect(await agent.ended).toBe(0);
    expect(app.events().at(-1)).toEqual([await app.pid(2), 'SIGTERM']);
  });
});

describe('run and init', () => {
  it('fetch nothing for the environment, and run refuses signals to a child', async () => {
    const place = await placeWith();
    const files = { password: { content: '{{app.password}}' } };
    const reload = [{ signal: { name: 'HUP', child: true } }, { restart: { child: true } }];
    const config = await place.config(
      execOf(
        { env: { X: '{{gone.x}}' } },
        {
          secrets: { app: { key: 'app' }, gone: { key: 'gone' } },
          outputs: { o: { dir: join(place.dir, 'o'), files, reload, reloadOnFirst: true } },
        },
      ),
    );
    const init = await runAgent(['init', '-c', config, '--timeout', '10s']);
    expect([init.status, init.facts('secret-failed')]).toEqual([0, []]);
    const run = await runAgent(['run', '-c', config]);
    expect([run.status, failuresOf(run).map(({ code, place: at }) => `${code} ${at}`)]).toEqual([
      2,
      ['CONFIG_INVALID outputs.o.reload[0].signal.child', 'CONFIG_INVALID outputs.o.reload[1].restart.child'],
    ]);
  });
});
