/** What the agent may do is taken away, and what it reads is moved. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { writePolicy } from '../../servers/index.ts';
import { shopPolicy } from '../../servers/world.ts';
import { eventually } from '../../system/agent.helpers.ts';
import type { FaultCase, Scene, Setup } from '../case.ts';

const group = 'Rights and paths';
const on = 'OpenBao';

/** A database user beside the usual secret; its lease lives for `ttl`. */
const withUser = (ttl: string): Setup => ({
  world: { database: true, databaseTtl: ttl },
  more: (dir) => ({
    secrets: { db: { read: 'database/creds/shop' } },
    outputs: { db: { dir: join(dir, 'db'), files: { user: { content: '{{db.username}} {{db.password}}' } } } },
  }),
});

export const userOf = ({ dir }: Pick<Scene, 'dir'>) => readFile(join(dir, 'db', 'user'), 'utf8');

/** Whether the database lets the published user in. */
export async function isLetIn({ world, dir }: Scene): Promise<boolean> {
  const [user = '', password = ''] = (await userOf({ dir })).split(' ');
  return world.postgres.canLogin(user, password);
}

/** Revokes each login of the shop, as an administrator does. */
async function revokeLogins({ world: { bao } }: Scene): Promise<void> {
  await bao.api('PUT', 'sys/leases/revoke-prefix/auth/kubernetes/login');
}

export const ACCESS: readonly FaultCase[] = [
  {
    id: 'login-revoked',
    group,
    fault: "the agent's login is revoked",
    on,
    setup: { world: {} },
    inject: revokeLogins,
    heal: () => undefined,
    recovers: ({ agent }) => agent.waitFor('login-made', { count: 2 }),
    expect: { secret: 'fresh', rotated: 'in the fault' },
    check: ({ agent }) => expect(agent.facts('login-made').length).toBe(2),
  },
  {
    id: 'login-role-deleted',
    group,
    fault: 'the role of the login is deleted, and the login ends',
    on,
    setup: { world: { tokenTtl: '4s', tokenMaxTtl: '4s' } },
    inject: ({ world: { bao } }) => bao.api('DELETE', 'auth/kubernetes/role/shop'),
    heal: ({ world: { bao } }) =>
      bao.api('PUT', 'auth/kubernetes/role/shop', {
        bound_service_account_names: ['shop'],
        bound_service_account_namespaces: ['default'],
        token_policies: ['shop'],
        token_ttl: '1h',
      }),
    // A second that begins with a poll has five, and the login that ends is asked for four times.
    expect: { codes: ['AUTH_DENIED'], rotated: 'no value comes', peak: 9 },
  },
  {
    id: 'policy-cut',
    group,
    fault: 'the policy no longer allows the secret',
    on,
    setup: { world: {} },
    inject: ({ world: { bao } }) => writePolicy(bao, 'shop', 'path "secret/data/other" { capabilities = ["read"] }'),
    heal: ({ world: { bao } }) => writePolicy(bao, 'shop', shopPolicy),
    expect: { codes: ['SECRET_DENIED'] },
    check: ({ agent }) => expect(agent.facts('login-made').length).toBe(1),
  },
  {
    id: 'lease-revoked',
    group,
    fault: 'the lease of a database user is revoked',
    on,
    setup: withUser('6s'),
    inject: async ({ world: { bao }, kept, dir }) => {
      kept.set('user', await userOf({ dir }));
      await bao.api('PUT', 'sys/leases/revoke-prefix/database/creds/shop');
    },
    heal: () => undefined,
    recovers: (scene) => eventually(async () => expect(await isLetIn(scene)).toBe(true)),
    expect: { of: 'db', secret: 'fresh', rotated: 'in the fault' },
  },
  {
    id: 'role-deleted',
    group,
    fault: 'the role of a database user is deleted',
    on,
    setup: withUser('6s'),
    inject: async ({ world: { bao }, kept }) => {
      kept.set('role', (await bao.api('GET', 'database/roles/shop')).data);
      await bao.api('DELETE', 'database/roles/shop');
    },
    heal: ({ world: { bao }, kept }) => bao.api('PUT', 'database/roles/shop', kept.get('role')),
    expect: {
      of: 'db',
      secret: 'expired',
      ready: false,
      rotated: 'in the fault',
      codes: ['SECRET_NOT_FOUND', 'BACKEND_REJECTED'],
    },
    // The secret is fresh a moment before its files are published.
    check: (scene) => eventually(async () => expect(await isLetIn(scene)).toBe(true)),
  },
  {
    id: 'mount-moved',
    group,
    fault: 'the mount of the secret is moved, and moved back',
    on,
    setup: { world: {} },
    inject: ({ world: { bao } }) => bao.api('POST', 'sys/remount', { from: 'secret', to: 'moved' }),
    heal: async ({ world: { bao }, rotate }) => {
      await eventually(() => bao.api('POST', 'sys/remount', { from: 'moved', to: 'secret' }));
      await eventually(rotate);
    },
    expect: { codes: ['SECRET_DENIED', 'SECRET_NOT_FOUND'] },
  },
  {
    id: 'kv-upgraded',
    group,
    fault: 'the KV engine is upgraded from version 1 to 2',
    on,
    setup: {
      world: {},
      secret: (path) => ({ kv: `kv1/${path}` }),
      put: async ({ bao }, path, value) => {
        const { data } = await bao.api<{ options?: { version?: string } }>('GET', 'sys/mounts/kv1/tune');
        if (data.options?.version === '2') return bao.api('POST', `kv1/data/${path}`, { data: { value } });
        return bao.api('POST', `kv1/${path}`, { value });
      },
    },
    inject: async ({ world: { bao } }) => {
      await bao.api('POST', 'sys/mounts/kv1/tune', { options: { version: '2' } });
      await eventually(() => bao.api('GET', 'kv1/config'));
    },
    heal: () => undefined,
    expect: { secret: 'fresh', rotated: 'in the fault' },
  },
];
