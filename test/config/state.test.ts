import { describe, expect, it } from 'vitest';
import { BAO, briefly, loadWith } from './config.helpers.ts';

describe('the state section', () => {
  it('is off when it is absent or empty', async () => {
    expect(await loadWith({})).not.toHaveProperty('state');
    expect(await loadWith({ state: null })).not.toHaveProperty('state');
  });

  it('has paths relative to the file that names them, and a day without maxAge', async () => {
    const { state, files } = await loadWith({ state: { path: 'state', keyFile: 'key' } });
    const dir = files[0]?.replace(/\/[^/]+$/, '');
    expect(state).toEqual({
      path: `${dir}/state`,
      key: { from: 'file', file: `${dir}/key` },
      maxAgeMs: 86_400_000,
      place: 'state',
    });
    const other = await loadWith({ state: { path: '/s', keyEnv: 'PANNIER_STATE_KEY', maxAge: '2h' } });
    expect(other.state).toMatchObject({ key: { from: 'env', name: 'PANNIER_STATE_KEY' }, maxAgeMs: 7_200_000 });
    expect((await loadWith({ state: { path: '/s' } })).state?.key).toEqual({ from: 'beside' });
    const wrapped = await loadWith({ state: { path: '/s', transit: { backend: 'bao', mount: '/team/', key: 'k' } } });
    expect(wrapped.state?.key).toEqual({
      from: 'wrapped',
      backend: 'bao',
      mount: 'team',
      name: 'k',
      place: 'state.transit',
    });
  });

  it.each<[string, object, string]>([
    ['the directory of an output', { state: { path: '/run/shop' } }, 'state.path'],
    ['inside that of an output', { state: { path: '/run/shop/state' } }, 'state.path'],
    ['above that of an output', { state: { path: '/run' } }, 'outputs.shop.dir'],
    ['the path of a socket', { state: { path: '/s' }, api: { socket: '/s' } }, 'api.socket'],
    ['below a log', { state: { path: '/s/a' }, log: { file: '/s' } }, 'state.path'],
    ['a file of the state as the log', { state: { path: '/s' }, log: { file: '/s/refused.1' } }, 'log.file'],
    ['a published file as a socket', { admin: { socket: '/run/shop/app.env' } }, 'admin.socket'],
    ['a directory as the log', { log: { file: '/run/shop' } }, 'log.file'],
    ['a log as a socket', { log: { file: '/x' }, proxy: { backend: 'bao', socket: '/x' } }, 'proxy.socket'],
    ['the state as its own key', { state: { path: '/s', keyFile: '/s/state' } }, 'state.keyFile'],
  ])('two things that Pannier writes do not have one path: %s', async (_, given, place) => {
    const outputs = { shop: { dir: '/run/shop', files: { 'app.env': { content: 'x' } } } };
    expect(await briefly(loadWith({ outputs, ...given }))).toEqual([`CONFIG_SAME_DIR ${place}`]);
  });

  it('may be beside outputs, sockets and logs, which may be in one directory', async () => {
    const outputs = { shop: { dir: '/run/p/shop', files: { 'app.env': { content: 'x' } } } };
    const state = { path: '/run/p/state' };
    const given = { outputs, state, api: { socket: '/run/p/api.sock' }, log: { file: '/run/p/shop/own.log' } };
    expect(await briefly(loadWith(given))).toEqual([]);
    expect(await briefly(loadWith({ state, api: { socket: '/run/p/state/api.sock' } }))).toEqual([]);
  });

  it.each<[object, string[]]>([
    [{ state: null }, ['CONFIG_UNUSED state']],
    [{ log: null }, ['CONFIG_UNUSED log']],
    [{ state: { path: '/s', keyFile: '/s/key' } }, ['CONFIG_DOUBTFUL state.keyFile']],
    [{ state: { path: '/run/s', keyFile: '/run/s/key' } }, []],
    [{ outputs: { o: { dir: '/o', files: {}, reloadSpread: '5m' } } }, ['CONFIG_UNUSED outputs.o.reloadSpread']],
    [{ outputs: { o: { dir: '/o', files: {}, reloadOnFirst: true } } }, ['CONFIG_UNUSED outputs.o.reloadOnFirst']],
    [{ outputs: { o: { dir: '/o', files: {}, reloadSpread: '5m', verify: { command: { argv: ['true'] } } } } }, []],
    [
      {
        outputs: { o: { dir: '/o', files: {}, check: { command: { argv: ['true', '{dirr}', '$${DIR}', '{dir}'] } } } },
      },
      ['CONFIG_DOUBTFUL outputs.o.check.command.argv[1]'],
    ],
    [
      { backends: { bao: { ...BAO, requests: { startSpread: '100d' } } } },
      ['CONFIG_DOUBTFUL backends.bao.requests.startSpread'],
    ],
  ])('what has no effect, or is hardly meant, is told: %j', async (given, expected) => {
    const { warnings } = await loadWith(given);
    const told = warnings.map(({ code, place }) => `${code} ${place}`);
    const known = /^(?:CONFIG_UNUSED backends\.bao)$/;
    expect(told.filter((one) => !known.test(one))).toEqual(expected);
  });

  it.each<[string, object, string]>([
    ['no directory', { keyFile: '/k' }, 'CONFIG_MISSING state.path'],
    ['two keys', { path: '/s', keyFile: '/k', keyEnv: 'PANNIER_KEY' }, 'CONFIG_INVALID state.keyEnv'],
    ['a variable that commands would get', { path: '/s', keyEnv: 'STATE_KEY' }, 'CONFIG_INVALID state.keyEnv'],
    ['an age of zero', { path: '/s', maxAge: '0s' }, 'CONFIG_INVALID state.maxAge'],
    [
      'an unknown backend of transit',
      { path: '/s', transit: { backend: 'boa', key: 'k' } },
      'CONFIG_UNKNOWN_BACKEND state.transit.backend',
    ],
    [
      'a backend without a transit engine',
      { path: '/s', transit: { backend: 'demo', key: 'k' } },
      'CONFIG_INVALID state.transit.backend',
    ],
    [
      'a path in the place of a key',
      { path: '/s', transit: { backend: 'bao', key: 'transit/keys/k' } },
      'CONFIG_INVALID state.transit.key',
    ],
    [
      'transit beside another key',
      { path: '/s', keyFile: '/k', transit: { backend: 'bao', key: 'k' } },
      'CONFIG_INVALID state.transit',
    ],
    ['an unknown key', { path: '/s', keyfile: '/k' }, 'CONFIG_UNKNOWN_KEY state.keyfile'],
  ])('%s is refused', async (_, state, problem) => {
    const backends = { bao: BAO, demo: { kind: 'file', path: './demo.yaml' } };
    expect(await briefly(loadWith({ state, backends }))).toEqual([problem]);
  });
});
