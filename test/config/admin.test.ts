import { describe, expect, it } from 'vitest';
import { BACKEND_KINDS } from '../../src/backend/registry.ts';
import { briefly, loadWith, makeFolder, problemsOf } from './config.helpers.ts';

describe('the admin section', () => {
  it('is off when it is absent or empty', async () => {
    expect(await loadWith({})).not.toHaveProperty('admin');
    expect(await loadWith({ admin: null })).not.toHaveProperty('admin');
  });

  it.each([
    ['0.0.0.0:9464', { kind: 'tcp', host: '0.0.0.0', port: 9464 }],
    ['[::]:9464', { kind: 'tcp', host: '::', port: 9464 }],
    ['10.1.2.3:80', { kind: 'tcp', host: '10.1.2.3', port: 80 }],
  ])('listens on any interface: %s', async (listen, where) => {
    expect((await loadWith({ admin: { listen } })).admin).toEqual({ where, page: false, place: 'admin' });
  });

  it('a socket is private without a mode, and its path is relative to the file that names it', async () => {
    const { admin, files } = await loadWith({ admin: { socket: 'admin.sock' } });
    const dir = files[0]?.replace(/\/[^/]+$/, '');
    expect(admin?.where).toEqual({ kind: 'unix', path: `${dir}/admin.sock`, mode: 0o600 });
    const open = await loadWith({ admin: { socket: '/run/a', mode: '0660', uid: 1, gid: 2 } });
    expect(open.admin?.where).toEqual({ kind: 'unix', path: '/run/a', mode: 0o660, uid: 1, gid: 2 });
  });

  it('has a status page when it says so', async () => {
    expect((await loadWith({ admin: { listen: '0.0.0.0:9464', page: true } })).admin).toMatchObject({ page: true });
  });

  it.each<[string, object, string]>([
    ['a page that is no switch', { listen: '0.0.0.0:1', page: 'yes' }, 'CONFIG_INVALID admin.page'],
    ['nowhere to listen', {}, 'CONFIG_MISSING admin'],
    ['two places', { listen: '0.0.0.0:1', socket: 'a' }, 'CONFIG_INVALID admin.listen'],
    ['a mode for a port', { listen: '0.0.0.0:1', mode: '0600' }, 'CONFIG_INVALID admin.mode'],
    ['a port alone', { listen: ':9464' }, 'CONFIG_INVALID admin.listen'],
    ['port 0', { listen: '127.0.0.1:0' }, 'CONFIG_INVALID admin.listen'],
    ['an unknown key', { listen: '0.0.0.0:1', sockett: 'a' }, 'CONFIG_UNKNOWN_KEY admin.sockett'],
  ])('%s is refused', async (_, admin, problem) => {
    expect(await briefly(loadWith({ admin }))).toEqual([problem]);
  });

  it('cannot listen where the api listens', async () => {
    const problems = await briefly(loadWith({ api: { socket: '/run/a.sock' }, admin: { socket: '/run/a.sock' } }));
    expect(problems).toEqual(['CONFIG_DUPLICATE admin.socket']);
  });

  it('can be in one file only', async () => {
    const { loadConfig } = await import('../../src/config/load.ts');
    const cwd = makeFolder({
      'a.json': '{"version":1,"admin":{"listen":"0.0.0.0:1"}}',
      'b.json': '{"admin":{"listen":"0.0.0.0:2"}}',
    });
    const problems = await problemsOf(loadConfig({ kinds: BACKEND_KINDS, paths: ['.'], env: {}, cwd }));
    expect(problems.map(({ code }) => code)).toEqual(['CONFIG_DUPLICATE']);
  });
});
