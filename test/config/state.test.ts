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
