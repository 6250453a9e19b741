import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { eventually, type LogLine, type Place } from './agent.helpers.ts';
import { password, startFaultyVault } from './faulty-vault.helpers.ts';
import { outputsOf, writePassword } from './file-backend.helpers.ts';
import { failuresOf, published, useScene } from './openbao.helpers.ts';

const scene = useScene();
const of = (output: string) => (line: LogLine) => line['output'] === output;

/** A place whose outputs were published with the password `one`, and whose secret is `two` by now. */
async function publishedOnce(
  outputs: (dir: string) => Readonly<Record<string, object>>,
): Promise<Place & { path: string }> {
  const place = await scene.place();
  await writePassword(place, 'one');
  const path = await place.config(outputsOf(place.dir, outputs(place.dir)));
  expect((await scene.init(path)).status).toBe(0);
  await writePassword(place, 'two');
  return { ...place, path, [Symbol.asyncDispose]: () => Promise.resolve() };
}

const hangup = (pidFile: string) => ({ reload: [{ signal: { name: 'SIGHUP', pidFile } }] });
const command = (argv: readonly string[], timeout = '20s') => ({ reload: [{ command: { argv, timeout } }] });

/** The pid of a process that has ended. */
async function endedPid(): Promise<number> {
  const child = spawn('true');
  await once(child, 'exit');
  return child.pid ?? 0;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}

describe('a reload by signal', () => {
  it('sends nothing for a pid file that is missing, stale, reused or refused; each is reported, and succeeds when corrected', async () => {
    const names = ['missing', 'stale', 'reused', 'refused', 'garbage'];
    const place = await publishedOnce((dir) =>
      Object.fromEntries(names.map((name) => [name, hangup(join(dir, name, 'pid'))])),
    );
    const { dir } = place;
    const app = await scene.application(dir);
    const pid = await readFile(app.pidFile, 'utf8');
    const pidFile = (name: string) => join(dir, name, 'pid');
    await writeFile(pidFile('stale'), `${await endedPid()}\n`);
    await writeFile(pidFile('reused'), pid);
    const longAgo = new Date(Date.now() - 3_600_000);
    await utimes(pidFile('reused'), longAgo, longAgo);
    await writeFile(pidFile('refused'), '1\n');
    await writeFile(pidFile('garbage'), 'nginx\n');

    const agent = scene.run(place.path);
    const wanted = {
      missing: { code: 'RELOAD_PID_FILE', seen: `pid file ${pidFile('missing')} is missing` },
      stale: { code: 'RELOAD_NO_PROCESS' },
      reused: {
        code: 'RELOAD_PID_REUSED',
        seen: `process ${pid.trim()} started after ${pidFile('reused')} was written`,
      },
      refused: { code: 'RELOAD_PID_REFUSED', seen: `pid 1 in ${pidFile('refused')} is never signalled` },
      garbage: { code: 'RELOAD_PID_FILE', seen: `pid file ${pidFile('garbage')} does not hold one plain number` },
    };
    for (const [name, failure] of Object.entries(wanted)) {
      const line = await agent.waitFor('reload-failed', { fits: of(name), count: 2 });
      expect(line).toMatchObject({ ...failure, place: `outputs.${name}.reload[0]`, step: 'signal' });
      expect(line['hint']).toMatch(/./);
      expect(line['retryInMs']).toBeGreaterThanOrEqual(250);
      expect(published(join(dir, name))).toMatchObject({ password: 'two' });
    }
    expect([app.reloads(), agent.facts('reload-done')]).toEqual([0, []]);

    for (const name of names) await writeFile(pidFile(name), pid);
    const now = new Date();
    await utimes(pidFile('reused'), now, now);
    await agent.waitFor('reload-done', { count: names.length });
    await eventually(() => expect(app.reloads()).toBeGreaterThan(0));
  });

  it('is not done for the first generation, unless it is configured', async () => {
    const place = await scene.place();
    await writePassword(place, 'one');
    const app = await scene.application(place.dir);
    const eager = await scene.application(place.dir, 'eager');
    const outputs = { quiet: hangup(app.pidFile), eager: { ...hangup(eager.pidFile), reloadOnFirst: true } };
    const agent = scene.run(await place.config(outputsOf(place.dir, outputs)));
    await agent.waitFor('reload-skipped', { fits: of('quiet') });
    await agent.waitFor('reload-done', { fits: of('eager') });
    await eventually(() => expect(eager.reloads()).toBe(1));
    await writePassword(place, 'two');
    await agent.waitFor('reload-done', { fits: of('quiet') });
    await eventually(() => expect([app.reloads(), eager.reloads()]).toEqual([1, 2]));
  });
});

describe('a reload by command', () => {
  it('that is missing, fails or hangs is reported by its program, without arguments, and ends with all that it started', async () => {
    const place = await publishedOnce((dir) => ({
      missing: command([join(dir, 'no-such-program'), 'argument-1']),
      failing: command(['sh', '-c', 'exit 7', 'argument-1']),
      killed: command(['sh', '-c', 'kill -9 $$', 'argument-1']),
      hanging: command(['sh', '-c', `sleep 600 & echo $! > ${dir}/sleep.pid; wait`, 'argument-1'], '600ms'),
    }));
    const { dir } = place;
    const agent = scene.run(place.path);
    const wanted = {
      missing: { code: 'RELOAD_COMMAND_MISSING', seen: `${dir}/no-such-program cannot be started (ENOENT)` },
      failing: { code: 'RELOAD_COMMAND_FAILED', seen: 'sh ended with status 7' },
      killed: { code: 'RELOAD_COMMAND_FAILED', seen: 'sh was ended by SIGKILL' },
      hanging: { code: 'RELOAD_COMMAND_TIMEOUT', seen: 'sh did not end within 600ms' },
    };
    for (const [name, failure] of Object.entries(wanted)) {
      const line = await agent.waitFor('reload-failed', { fits: of(name) });
      expect(line).toMatchObject({ ...failure, place: `outputs.${name}.reload[0]`, step: 'command' });
      expect(published(join(dir, name))).toEqual({ password: 'two' });
    }
    const sleeping = Number(await readFile(join(dir, 'sleep.pid'), 'utf8'));
    expect(await agent.stop()).toBe(0);
    expect(agent.output()).not.toContain('argument-1');
    await eventually(() => expect(isRunning(sleeping)).toBe(false));
  });

  it('that hangs holds up no other output, and is ended by a stop', async () => {
    const place = await publishedOnce((dir) => ({
      hanging: command(['sh', '-c', `echo $$ > ${dir}/hang.pid; exec sleep 600`], '1h'),
      other: command(['true']),
    }));
    const agent = scene.run(place.path);
    await agent.waitFor('reload-done', { fits: of('other') });
    const pid = await eventually(async () =>
      Number((await readFile(join(place.dir, 'hang.pid'), 'utf8')) || undefined),
    );
    await writePassword(place, 'three');
    await agent.waitFor('reload-done', { fits: of('other'), count: 2 });
    expect(await agent.stop()).toBe(0);
    await eventually(() => expect(isRunning(pid)).toBe(false));
  });

  it('that fails causes no request to the backend', async () => {
    const vault = scene.keep(await startFaultyVault());
    const place = await scene.place();
    const tokenFile = join(place.dir, 'token');
    await writeFile(tokenFile, 's.good');
    const config = await place.config({
      backends: { bao: { kind: 'vault', address: vault.address, auth: { method: 'token', tokenFile } } },
      secrets: { app: { read: 'x/app', refresh: '30d' } },
      outputs: {
        out: { dir: join(place.dir, 'out'), files: { p: { content: '{{app.password}}' } }, ...command(['false']) },
      },
    });
    expect((await scene.init(config)).status).toBe(0);
    vault.secret(password('two'));
    const agent = scene.run(config);
    await agent.waitFor('reload-failed');
    const asked = vault.requests.length;
    const { retryInMs } = await agent.waitFor('reload-failed', { count: 4 });
    expect(retryInMs).toBeGreaterThanOrEqual(250);
    expect(vault.requests.length).toBe(asked);
    expect(agent.facts('output-published')).toHaveLength(1);
  });
});

describe('an owed reload', () => {
  it('survives a SIGKILL: the next run does it, once, although nothing is published', async () => {
    const place = await publishedOnce((dir) => ({
      out: command(['sh', '-c', `test -e ${dir}/ready && echo done >> ${dir}/count`]),
    }));
    const { dir } = place;
    const first = scene.run(place.path);
    await first.waitFor('reload-failed');
    first.kill('SIGKILL');
    expect(await first.ended).toBe(137);
    await writeFile(join(dir, 'ready'), '');
    const second = scene.run(place.path);
    await second.waitFor('reload-done');
    expect(second.facts('output-published')).toEqual([]);
    await second.stop();
    const third = scene.run(place.path);
    await third.waitFor('output-unchanged');
    await third.stop();
    expect(await readFile(join(dir, 'count'), 'utf8')).toBe('done\n');
  });

  it('is tried once by init, which ends with 1 when it fails; the next init does it', async () => {
    const place = await publishedOnce((dir) => ({ out: command(['test', '-e', join(dir, 'ready')]) }));
    const failed = await scene.init(place.path, '1h');
    const hint = 'Run it by hand to see why.';
    expect([failed.status, failuresOf(failed)]).toEqual([
      1,
      [
        {
          code: 'RELOAD_COMMAND_FAILED',
          place: 'outputs.out.reload[0]',
          seen: 'test ended with status 1',
          hint,
        },
      ],
    ]);
    expect([failed.facts('reload-failed').length, published(join(place.dir, 'out'))]).toEqual([1, { password: 'two' }]);
    await writeFile(join(place.dir, 'ready'), '');
    const done = await scene.init(place.path, '1h');
    expect([done.status, done.facts('reload-done').length, done.facts('output-published').length]).toEqual([0, 1, 0]);
  });

  it('lets init end with 1 at its deadline while the command still runs', async () => {
    const place = await publishedOnce(() => ({ out: command(['sleep', '600'], '1h') }));
    const agent = await scene.init(place.path, '900ms');
    expect([agent.status, failuresOf(agent).map(({ code, place: at }) => [code, at])]).toEqual([
      1,
      [['INIT_TIMEOUT', 'outputs.out']],
    ]);
    expect(published(join(place.dir, 'out'))).toEqual({ password: 'two' });
  });
});
