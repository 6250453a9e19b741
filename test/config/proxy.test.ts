import { describe, expect, it } from 'vitest';
import { BAO, briefly, loadWith } from './config.helpers.ts';

const FILE = { kind: 'file', path: './secrets.json' };

describe('the proxy section', () => {
  it('is off when it is absent or empty', async () => {
    expect(await loadWith({})).not.toHaveProperty('proxy');
    expect(await loadWith({ proxy: null })).not.toHaveProperty('proxy');
  });

  it('requires X-Vault-Request on a port and not on a socket, unless requireRequestHeader says otherwise', async () => {
    const both = { socket: '/run/v.sock', mode: '0660', gid: 5, listen: '[::1]:8207' };
    const { proxy } = await loadWith({ proxy: both });
    expect(proxy).toEqual({
      backend: 'bao',
      useAutoAuthToken: false,
      useClientCertificate: false,
      quit: false,
      listeners: [
        {
          where: { kind: 'unix', path: '/run/v.sock', mode: 0o660, gid: 5 },
          place: 'proxy',
          requireRequestHeader: false,
        },
        { where: { kind: 'tcp', host: '::1', port: 8207 }, place: 'proxy', requireRequestHeader: true },
      ],
    });
    for (const requireRequestHeader of [true, false]) {
      const said = await loadWith({ proxy: { ...both, requireRequestHeader } });
      expect(said.proxy?.listeners.map((one) => one.requireRequestHeader)).toEqual(Array(2).fill(requireRequestHeader));
    }
  });

  it('has a bounded cache, which includes static KV only with staticKv', async () => {
    const cacheOf = async (cache: object) => (await loadWith({ proxy: { socket: '/s', cache } })).proxy?.cache;
    expect(await cacheOf({})).toEqual({ maxEntries: 1_000, maxBytes: 16_777_216 });
    expect(await cacheOf({ maxEntries: 5, staticKv: {} })).toMatchObject({
      maxEntries: 5,
      staticKv: { maxStaleMs: 30_000 },
    });
    expect(await cacheOf({ staticKv: { maxStale: '1m' } })).toMatchObject({ staticKv: { maxStaleMs: 60_000 } });
  });

  it('uses the only backend of kind vault', async () => {
    const { proxy } = await loadWith({ backends: { demo: FILE, bao: BAO }, proxy: { socket: '/s' } });
    expect(proxy?.backend).toBe('bao');
  });

  it.each<[string, object, string]>([
    ['nowhere to listen', {}, 'CONFIG_MISSING proxy'],
    ['a mode without a socket', { listen: '127.0.0.1:1', mode: '0600' }, 'CONFIG_INVALID proxy.mode'],
    ['a port that others reach', { listen: '0.0.0.0:1' }, 'CONFIG_INVALID proxy.listen'],
    ['a port of another address', { listen: '10.0.0.1:1' }, 'CONFIG_INVALID proxy.listen'],
    ['an unknown backend', { socket: '/s', backend: 'boa' }, 'CONFIG_UNKNOWN_BACKEND proxy.backend'],
    ['a backend of another kind', { socket: '/s', backend: 'demo' }, 'CONFIG_INVALID proxy.backend'],
    ['another word for the token', { socket: '/s', useAutoAuthToken: 'yes' }, 'CONFIG_INVALID proxy.useAutoAuthToken'],
    [
      'no staleness at all',
      { socket: '/s', cache: { staticKv: { maxStale: '0s' } } },
      'CONFIG_INVALID proxy.cache.staticKv.maxStale',
    ],
    ['an unknown key', { socket: '/s', cache: { persist: {} } }, 'CONFIG_UNKNOWN_KEY proxy.cache.persist'],
  ])('%s is refused', async (_, proxy, problem) => {
    expect(await briefly(loadWith({ backends: { bao: BAO, demo: FILE }, proxy }))).toEqual([problem]);
  });

  it('must name its backend when there are several, and needs one', async () => {
    const proxy = { socket: '/s' };
    const missing = ['CONFIG_MISSING proxy.backend'];
    expect(await briefly(loadWith({ backends: { a: BAO, b: BAO }, proxy }))).toEqual(missing);
    expect(await briefly(loadWith({ backends: { demo: FILE }, proxy }))).toEqual(missing);
    expect((await loadWith({ backends: { a: BAO, b: BAO }, proxy: { ...proxy, backend: 'b' } })).proxy?.backend).toBe(
      'b',
    );
  });

  it('cannot listen where the api listens', async () => {
    const problems = await briefly(loadWith({ api: { socket: '/run/a.sock' }, proxy: { socket: '/run/a.sock' } }));
    expect(problems).toEqual(['CONFIG_DUPLICATE proxy.socket']);
  });
});
