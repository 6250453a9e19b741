import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { allProblems, planOf } from '../../src/agent/create-plan.ts';
import { BACKEND_KINDS } from '../../src/backend/registry.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { ConfigProblemsError } from '../../src/config/problems/config-problems.ts';
import { briefly, loadText, loadWith, makeFolder, problemsOf } from './config.helpers.ts';

const secrets = { db: { read: 'database/creds/shop' } };
const output = (reload: readonly object[]) => ({ o: { dir: 'o', files: {}, reload } });

describe('the section exec', () => {
  it('has the same defaults empty and absent', async () => {
    const defaults = {
      onChange: { kind: 'restart' },
      stopSignal: 'SIGTERM',
      graceMs: 30_000,
      onExit: 'end',
      pristine: false,
      inherit: [],
    };
    expect((await loadWith({})).exec).toEqual(defaults);
    expect((await loadWith({ exec: {} })).exec).toEqual(defaults);
    expect((await loadText('version: 1\nexec:\n')).exec).toEqual(defaults);
  });

  it('sets every property of the child', async () => {
    const cwd = makeFolder({
      'shop.yaml': `version: 1
backends: { demo: { kind: file, path: s.yaml } }
secrets: { db: { key: db } }
exec:
  command: [./app, --port, "1"]
  env: { PGPASSWORD: "{{db.password}}", PGUSER: shop, EMPTY: "", NOTE: "\${env:HOME}" }
  onChange: signal
  signal: USR1
  stopSignal: QUIT
  grace: 5s
  onExit: restart
  quiet: 20s
  pristine: true
  inherit: [PATH]
`,
    });
    const { exec } = await loadConfig({ kinds: BACKEND_KINDS, paths: ['shop.yaml'], env: {}, cwd });
    expect(exec).toMatchObject({
      command: [join(cwd, 'app'), '--port', '1'],
      env: { name: 'exec.env', quietMs: 20_000, maxWaitMs: 20_000, reloadOnFirst: false },
      onChange: { kind: 'signal', name: 'SIGUSR1' },
      stopSignal: 'SIGQUIT',
      graceMs: 5_000,
      onExit: 'restart',
      pristine: true,
      inherit: ['PATH'],
    });
    expect([...(exec.env?.files ?? [])].map(([name, { place, content }]) => [name, place, content])).toEqual([
      ['PGPASSWORD', 'exec.env.PGPASSWORD', { kind: 'content', text: '{{db.password}}' }],
      ['PGUSER', 'exec.env.PGUSER', { kind: 'content', text: 'shop' }],
      ['EMPTY', 'exec.env.EMPTY', { kind: 'content', text: '' }],
      ['NOTE', 'exec.env.NOTE', { kind: 'content', text: '${env:HOME}' }],
    ]);
  });

  it('takes whole secrets beside single variables', async () => {
    const given = { secrets: { ...secrets, app: { read: 'x' } } };
    const options = { prefix: 'SHOP_', case: 'upper', rename: { 'pass-word': 'PIN' }, keys: 'identifier' };
    const { exec } = await loadWith({ ...given, exec: { from: ['db', 'app.key.x'], ...options, env: { A: 'x' } } });
    expect([...(exec.env?.files.keys() ?? [])]).toEqual(['A']);
    expect(exec.env?.variables).toEqual({
      place: 'exec.from',
      from: [['db'], ['app', 'key.x']],
      options: { prefix: 'SHOP_', case: 'upper', rename: [['pass-word', 'PIN']], keys: 'identifier' },
    });
    const alone = (await loadWith({ ...given, exec: { from: 'db', names: 'any' } })).exec.env;
    expect(alone).toMatchObject({ name: 'exec.env', quietMs: 1_000, files: new Map() });
    expect(alone?.variables).toEqual({ place: 'exec.from', from: [['db']], options: { names: 'any' } });
  });

  it('all problems of whole secrets are reported at once', async () => {
    const from = ['nope', 'db.', 'db'];
    const exec = { from, prefix: '1', rename: { a: 'b c', d: 'OK', e: '2nd' }, keys: 'identifier', names: 'any' };
    expect(await briefly(loadWith({ secrets, exec }))).toEqual([
      'CONFIG_INVALID exec.names',
      'CONFIG_INVALID exec.rename.a',
      'CONFIG_UNKNOWN_SECRET exec.from[0]',
      'CONFIG_INVALID exec.from[1]',
    ]);
    expect(await briefly(loadWith({ secrets, exec: { ...exec, from: 'db', names: undefined } }))).toEqual([
      'CONFIG_INVALID exec.prefix',
      'CONFIG_INVALID exec.rename.a',
    ]);
    expect(await briefly(loadWith({ secrets, exec: { prefix: 'A_', keys: 'identifier', env: {} } }))).toEqual([
      'CONFIG_INVALID exec.prefix',
      'CONFIG_INVALID exec.keys',
    ]);
  });

  it('names: any is for single variables and inherited ones too', async () => {
    const exec = { env: { 'spring.datasource.url': 'x', 'a-b': 'y' }, inherit: ['c.d'], names: 'any' };
    expect([...((await loadWith({ exec })).exec.env?.files.keys() ?? [])]).toEqual(['spring.datasource.url', 'a-b']);
    const bad = { env: { 'a=b': 'x', 'a/b': 'x', 'a b': 'x', '.a': 'x' }, inherit: ['c d'], names: 'any' };
    expect((await briefly(loadWith({ exec: bad }))).at(-1)).toBe('CONFIG_INVALID exec.inherit[0]');
    expect(await briefly(loadWith({ exec: bad }))).toHaveLength(5);
  });

  it('a command that is no path is looked up on PATH', async () => {
    const { exec } = await loadWith({ exec: { command: ['nginx', '-g', 'daemon off;'] } });
    expect(exec.command).toEqual(['nginx', '-g', 'daemon off;']);
  });

  it('all problems are reported at once, each with its place', async () => {
    const exec = {
      command: ['', 'x'],
      env: { '1ST': 'x', 'DB-PASS': 'x', GOOD: 'x', 'A=B': 'x' },
      signal: 'HUP',
      quiet: '5s',
      maxWait: '1s',
      inherit: ['PATH', 'no good'],
    };
    expect(await briefly(loadWith({ exec }))).toEqual([
      'CONFIG_INVALID exec.env[a key that is not shown]',
      'CONFIG_INVALID exec.env.DB-PASS',
      'CONFIG_INVALID exec.env[a key that is not shown]',
      'CONFIG_INVALID exec.inherit[1]',
      'CONFIG_INVALID exec.signal',
      'CONFIG_INVALID exec.maxWait',
      'CONFIG_INVALID exec.command[0]',
    ]);
  });

  it.each<[object, string]>([
    [{ command: [] }, 'CONFIG_INVALID exec.command'],
    [{ command: 'nginx' }, 'CONFIG_INVALID exec.command'],
    [{ env: { PORT: 8080 } }, 'CONFIG_INVALID exec.env.PORT'],
    [{ onChange: 'reload' }, 'CONFIG_INVALID exec.onChange'],
    [{ onExit: 'always' }, 'CONFIG_INVALID exec.onExit'],
    [{ onChange: 'signal', signal: 'KILL' }, 'CONFIG_INVALID exec.signal'],
    [{ stopSignal: 'SIGTREM' }, 'CONFIG_INVALID exec.stopSignal'],
    [{ grace: 30 }, 'CONFIG_INVALID exec.grace'],
    [{ evn: {} }, 'CONFIG_UNKNOWN_KEY exec.evn'],
    [{ from: [] }, 'CONFIG_MISSING exec.from'],
    [{ from: {} }, 'CONFIG_INVALID exec.from'],
    [{ from: [''] }, 'CONFIG_INVALID exec.from[0]'],
    [{ keys: 'any' }, 'CONFIG_INVALID exec.keys'],
    [{ names: 'identifier' }, 'CONFIG_INVALID exec.names'],
    [{ case: 'title' }, 'CONFIG_INVALID exec.case'],
  ])('%j is %s', async (exec, problem) => {
    expect(await briefly(loadWith({ exec }))).toEqual([problem]);
  });

  it('an output cannot have the name of the environment', async () => {
    const given = { exec: { env: { A: 'x' } }, outputs: { 'exec.env': { dir: 'o', files: {} } } };
    expect(await briefly(loadWith(given))).toEqual(['CONFIG_DUPLICATE outputs["exec.env"]']);
    expect(await briefly(loadWith({ ...given, exec: {} }))).toEqual([]);
  });

  it('problems of its templates have the place of the variable, and are reported with all others', async () => {
    const given = { secrets, exec: { env: { PW: '{{dbb.password}}', URL: '{{#if db}}', OK: '{{db.username}}' } } };
    const planned = loadWith(given).then((config) => planOf(config, 0));
    expect(await briefly(planned)).toEqual([
      'TEMPLATE_UNKNOWN_NAME exec.env.PW, content:1:3',
      'TEMPLATE_SYNTAX exec.env.URL, content:1:11',
    ]);
    const bad = await loadWith({ ...given, log: { levl: 'x' } }).catch((error: unknown) => error);
    expect((await allProblems(bad as ConfigProblemsError)).failures.map(({ place }) => place)).toEqual([
      'log.levl',
      'exec.env.PW, content:1:3',
      'exec.env.URL, content:1:11',
    ]);
  });
});

describe('a reload of the child', () => {
  const signal = { name: 'HUP', child: true };

  it('by a restart needs the section exec', async () => {
    const given = { outputs: output([{ restart: { child: true } }, { restart: {} }, { restart: { child: false } }]) };
    expect(await briefly(loadWith(given))).toEqual([
      'CONFIG_MISSING outputs.o.reload[1].restart.child',
      'CONFIG_INVALID outputs.o.reload[2].restart.child',
      'CONFIG_MISSING outputs.o.reload[0].restart.child',
    ]);
    const config = await loadWith({ exec: {}, outputs: output([{ restart: { child: true } }]) });
    expect(config.outputs.get('o')?.reload).toEqual([{ kind: 'restart', place: 'outputs.o.reload[0]' }]);
  });

  it('by a signal needs the section exec, which may be empty', async () => {
    const [problem] = await problemsOf(loadWith({ outputs: output([{ signal }]) }));
    expect([problem?.code, problem?.place]).toEqual(['CONFIG_MISSING', 'outputs.o.reload[0].signal.child']);
    const config = await loadWith({ exec: {}, outputs: output([{ signal }]) });
    expect(config.outputs.get('o')?.reload).toEqual([
      { kind: 'signal', name: 'SIGHUP', child: true, place: 'outputs.o.reload[0]' },
    ]);
  });

  it.each<[object, string]>([
    [{ ...signal, pidFile: 'p' }, 'pidFile and child each say which process'],
    [{ ...signal, process: 'nginx' }, 'process and child each say which process'],
    [{ ...signal, all: true }, 'all goes with process'],
    [{ name: 'HUP', child: false }, 'no key says which process gets the signal'],
  ])('%j: %s', async (given, seen) => {
    const problems = await problemsOf(loadWith({ exec: {}, outputs: output([{ signal: given }]) }));
    expect(problems.map((problem) => problem.seen)).toEqual([seen]);
  });
});
