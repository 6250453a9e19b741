import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BACKEND_KINDS } from '../../src/backend/registry.ts';
import type { VaultBackendConfig } from '../../src/backend/vault/config/config.ts';
import type { Environment } from '../../src/config/environment.ts';
import { loadConfig } from '../../src/config/load.ts';
import { BAO, briefly, loadWith, makeFolder, problemsOf } from './config.helpers.ts';

const kubernetes = { method: 'kubernetes', role: 'shop' };
const load = async (backend: object, env: Environment) => {
  const config = await loadWith({ backends: { bao: { kind: 'vault', ...backend } } }, env);
  return config.backends.get('bao') as VaultBackendConfig;
};

describe('what a backend takes from the environment', () => {
  it.each<[string, Environment, string]>([
    ['VAULT_ADDR', { VAULT_ADDR: 'http://one:8200/', BAO_ADDR: 'http://two' }, 'http://one:8200'],
    ['BAO_ADDR when VAULT_ADDR is absent', { BAO_ADDR: 'http://two' }, 'http://two'],
    ['BAO_ADDR when VAULT_ADDR is empty', { VAULT_ADDR: '', BAO_ADDR: 'http://two' }, 'http://two'],
  ])('%s is the address of a backend that has none', async (_, env, address) => {
    expect((await load({ auth: kubernetes }, env)).address).toBe(address);
    expect((await load({ address: 'http://own', auth: kubernetes }, env)).address).toBe('http://own');
  });

  it('an address from the environment is checked, and not shown', async () => {
    const [problem, ...rest] = await problemsOf(load({ auth: kubernetes }, { VAULT_ADDR: 'http://u:s3cr3t@x' }));
    expect(problem).toMatchObject({ code: 'CONFIG_INVALID', place: 'backends.bao.address' });
    expect(problem?.seen).toMatch(/^taken from VAULT_ADDR; it holds a user/);
    expect(rest).toEqual([]);
    expect(JSON.stringify(problem)).not.toContain('s3cr3t');
  });

  it('the namespace, unless the backend has the key, also when it is empty', async () => {
    const env = { BAO_NAMESPACE: 'team-a/' };
    expect((await load({ ...BAO }, env)).namespace).toBe('team-a');
    expect((await load({ ...BAO, namespace: '/own/' }, env)).namespace).toBe('own');
    expect(await load({ ...BAO, namespace: '' }, env)).not.toHaveProperty('namespace');
  });

  it('the file of certificates, relative to the directory where the agent was started', async () => {
    const cwd = makeFolder({ 'a.json': JSON.stringify({ version: 1, backends: { bao: BAO } }) });
    const config = await loadConfig({ kinds: BACKEND_KINDS, paths: ['a.json'], env: { VAULT_CACERT: 'ca.pem' }, cwd });
    expect(config.backends.get('bao')).toMatchObject({ tls: { caFile: join(cwd, 'ca.pem') } });
    expect((await load({ ...BAO, tls: { caFile: '/own' } }, { BAO_CACERT: '/x' })).tls.caFile).toBe('/own');
  });

  it.each(['VAULT_TOKEN', 'BAO_TOKEN'])(
    '%s is the token of the token method, and is a Secret from the start',
    async (name) => {
      const { auth } = await load({ address: 'http://x', auth: { method: 'token' } }, { [name]: ' t0ken\n' });
      if (auth.method !== 'token') throw new TypeError('another method');
      expect(auth.token?.exposeText('backend')).toBe('t0ken');
      expect(JSON.stringify(auth)).not.toContain('t0ken');
    },
  );
});

describe('certificate checks turned off by the environment', () => {
  it.each<[Environment, boolean]>([
    [{ VAULT_SKIP_VERIFY: 'true' }, true],
    [{ VAULT_SKIP_VERIFY: '1' }, true],
    [{ BAO_SKIP_VERIFY: 'yes' }, true],
    [{ NODE_TLS_REJECT_UNAUTHORIZED: '0' }, true],
    [{ VAULT_SKIP_VERIFY: 'false' }, false],
    [{ VAULT_SKIP_VERIFY: '' }, false],
    [{ VAULT_SKIP_VERIFY: '0', NODE_TLS_REJECT_UNAUTHORIZED: '1' }, false],
  ])('%j is refused: %s', async (env, refused) => {
    const two = { one: BAO, two: { ...BAO, tls: { skipVerify: true } } };
    const wanted = refused ? ['CONFIG_TLS_UNSAFE backends.one.tls.skipVerify'] : [];
    expect(await briefly(loadWith({ backends: two }, env))).toEqual(wanted);
    expect(await briefly(loadWith({ backends: { two: two.two, demo: { kind: 'file', path: 'x' } } }, env))).toEqual([]);
  });
});
