import { createServer } from 'node:net';
import type { Scene } from './scene.ts';
import type { Stage } from './stage.ts';

type Api = (method: string, path: string, body?: object) => Promise<{ data?: Record<string, string> }>;

/** A real OpenBao in development mode on loopback: an AppRole login, and a secret in KV v2. Needs `bao` on the PATH. */
export async function openBaoScene(stage: Stage, path: string): Promise<Scene> {
  const port = await freePort();
  const address = `http://127.0.0.1:${port}`;
  const argv = ['bao', 'server', '-dev', '-dev-no-store-token', '-dev-root-token-id=root'];
  const server = stage.start('bao', [...argv, `-dev-listen-address=127.0.0.1:${port}`], {
    quiet: true,
    env: { HOME: stage.dir, PATH: path },
  });
  await server.waitForLine(/Development mode|server started/i).catch(() => {
    throw new Error('bao did not start: put the bao program (OpenBao) on the PATH');
  });
  const api = createApi(address);
  await api('PUT', 'sys/policies/acl/shop', { policy: 'path "secret/data/shop" { capabilities = ["read"] }' });
  await api('POST', 'sys/auth/approle', { type: 'approle' });
  await api('POST', 'auth/approle/role/shop', { token_policies: 'shop', token_ttl: '1h' });
  const role = await api('GET', 'auth/approle/role/shop/role-id');
  const secretId = await api('POST', 'auth/approle/role/shop/secret-id');
  await stage.write('secret-id', secretId.data?.['secret_id'] ?? '');
  const put = (password: string) => api('POST', 'secret/data/shop', { data: { username: 'shop', password } });
  await put('winter-is-over');
  const auth = `auth: { method: approle, roleId: ${role.data?.['role_id']}, secretIdFile: ./secret-id }`;
  return {
    title: `A real OpenBao server at ${address}, with a secret in KV v2 and an AppRole that may read it.`,
    shown: 'bao kv put -mount=secret shop username=shop password=winter-is-over',
    backends: `backends:\n  bao:\n    kind: vault\n    address: ${address}\n    ${auth}\n`,
    secret: 'shop: { kv: secret/shop, refresh: 1s }',
    rotateTitle: 'The password is rotated in OpenBao; the agent polls it each second here.',
    rotate: async () => void (await put('spring-has-come')),
  };
}

function createApi(address: string): Api {
  return async (method, path, body) => {
    const answer = await fetch(`${address}/v1/${path}`, {
      method,
      headers: { 'x-vault-token': 'root' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`bao answered ${answer.status} to ${method} ${path}`);
    return answer.status === 204 ? {} : ((await answer.json()) as { data?: Record<string, string> });
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
