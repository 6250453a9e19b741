import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BACKEND_KINDS } from '../../src/backend/registry.ts';
import { exportJsonSchema } from '../../src/config/json-schema.ts';
import { type JsonSchema, misfits } from '../system/json-schema.helpers.ts';
import { BAO, briefly, loadWith, problemsOf } from './config.helpers.ts';

const secrets = { app: { kv: 'a/b' }, db: { kv: 'a/c' } };
const withApi = (api: unknown) => loadWith({ secrets, api });
const tcp = { listen: '127.0.0.1:8270', tokenFile: './token' };

describe('the section api', () => {
  it('has private sockets, all secrets and no way to stop the agent by default', async () => {
    const { api, files } = await withApi({ socket: './api.sock' });
    const path = join(files[0] ?? '', '../api.sock');
    const where = { kind: 'unix', path, mode: 0o600 };
    expect(api).toEqual({
      audit: 'changes',
      listeners: [{ where, place: 'api', control: false, maxConnections: 256 }],
    });
  });

  it('has several listeners, each with rules of its own', async () => {
    const one = { socket: '/run/a', mode: '0660', uid: 7, gid: 8, secrets: ['app'], control: true, maxConnections: 9 };
    const { api, files } = await withApi({ audit: 'off', listeners: [one, tcp, { ...tcp, listen: '[::1]:8270' }] });
    const tokenFile = join(files[0] ?? '', '../token');
    const rest = { control: false, maxConnections: 256, tokenFile };
    expect(api).toEqual({
      audit: 'off',
      listeners: [
        {
          where: { kind: 'unix', path: '/run/a', mode: 0o660, uid: 7, gid: 8 },
          place: 'api.listeners[0]',
          secrets: ['app'],
          control: true,
          maxConnections: 9,
        },
        { where: { kind: 'tcp', host: '127.0.0.1', port: 8270 }, place: 'api.listeners[1]', ...rest },
        { where: { kind: 'tcp', host: '::1', port: 8270 }, place: 'api.listeners[2]', ...rest },
      ],
    });
  });

  it.each<[string, object, ...string[]]>([
    ['nothing in it', {}, 'CONFIG_MISSING api'],
    ['an empty list', { listeners: [] }, 'CONFIG_MISSING api.listeners'],
    ['both', { socket: 's', ...tcp }, 'CONFIG_INVALID api'],
    ['a list and a key', { listeners: [tcp], socket: 's' }, 'CONFIG_INVALID api.socket'],
    ['a mode over TCP', { ...tcp, mode: '0600', gid: 1 }, 'CONFIG_INVALID api.mode', 'CONFIG_INVALID api.gid'],
    ['no token over TCP', { listen: '127.0.0.1:1' }, 'CONFIG_MISSING api.tokenFile'],
    ['the whole network', { ...tcp, listen: '0.0.0.0:1' }, 'CONFIG_INVALID api.listen'],
    ['another host', { ...tcp, listen: 'example.com:1' }, 'CONFIG_INVALID api.listen'],
    ['no port', { ...tcp, listen: '127.0.0.1' }, 'CONFIG_INVALID api.listen'],
    ['an unknown secret', { socket: 's', secrets: ['app', 'apq'] }, 'CONFIG_UNKNOWN_SECRET api.secrets[1]'],
    ['a field', { socket: 's', secrets: ['app.key'] }, 'CONFIG_INVALID api.secrets[0]'],
    ['no connections', { socket: 's', maxConnections: 0 }, 'CONFIG_INVALID api.maxConnections'],
    ['another audit', { socket: 's', audit: 'some' }, 'CONFIG_INVALID api.audit'],
    ['a misspelt key', { socket: 's', secret: [] }, 'CONFIG_UNKNOWN_KEY api.secret'],
    [
      'one place twice',
      { listeners: [{ socket: '/a' }, tcp, { socket: '/x/../a' }, tcp] },
      'CONFIG_DUPLICATE api.listeners[2].socket',
      'CONFIG_DUPLICATE api.listeners[3].listen',
    ],
    [
      'problems of several listeners',
      { listeners: [{ mode: 7 }, {}, { socket: 's', secrets: ['x'] }] },
      'CONFIG_INVALID api.listeners[0].mode',
      'CONFIG_MISSING api.listeners[0]',
      'CONFIG_MISSING api.listeners[1]',
      'CONFIG_UNKNOWN_SECRET api.listeners[2].secrets[0]',
    ],
  ])('refuses %s', async (_, api, ...wanted) => {
    expect(await briefly(withApi(api))).toEqual(wanted);
  });

  it.each([
    ['127.0.0.1:8270', 'localhost:8270'],
    ['localhost:8270', '[::1]:8270'],
    ['[::1]:8270', '[0:0:0:0:0:0:0:1]:8270'],
  ])('refuses %s together with %s', async (...both) => {
    const listeners = both.map((listen) => ({ ...tcp, listen }));
    expect(await briefly(withApi({ listeners }))).toEqual(['CONFIG_DUPLICATE api.listeners[1].listen']);
  });

  it('can have one port on two addresses', async () => {
    const listeners = ['127.0.0.1:8270', '[::1]:8270', 'localhost:8271'].map((listen) => ({ ...tcp, listen }));
    expect((await withApi({ listeners })).api?.listeners).toHaveLength(3);
  });

  it.each(['0.0.0.0:8270', '[::]:8270'])('cannot have a port that the admin listener has on %s', async (listen) => {
    expect(await briefly(loadWith({ secrets, api: tcp, admin: { listen } }))).toEqual([
      'CONFIG_DUPLICATE admin.listen',
    ]);
  });

  it('asks whether a similar name was meant by a misspelt secret', async () => {
    const [problem] = await problemsOf(withApi({ socket: 's', secrets: ['apq'] }));
    expect(problem?.seen).toBe('there is no secret named "apq"; did you mean "app"?');
  });

  it('fits the JSON Schema with exactly one of socket, listen and listeners', async () => {
    const schema = (await exportJsonSchema(BACKEND_KINDS)) as JsonSchema;
    const fits = (api: object) => misfits(schema, { version: 1, backends: { bao: BAO }, secrets, api }).length === 0;
    expect([{ socket: 's' }, tcp, { listeners: [tcp, { socket: 's' }] }].map(fits)).toEqual([true, true, true]);
    expect([{}, { ...tcp, socket: 's' }, { listeners: [{}] }].map(fits)).toEqual([false, false, false]);
  });
});
