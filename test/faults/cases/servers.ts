/** The server itself: killed, sealed, empty, behind. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { World } from '../../servers/index.ts';
import { eventually } from '../../system/agent.helpers.ts';
import type { FaultCase, Prepared, Scene, Start } from '../case.ts';
import { write } from '../fault-proxy.ts';

const group = 'The server';
const on = 'OpenBao';
const persistent = { world: { openBao: { persist: true } } };
const TEAM = 'team';

/** Namespaces by the world: the key that unseals, and the root token's caller. */
const inTeam = ({ bao }: World) => ({ token: bao.rootToken, namespace: TEAM });

/** A namespace with a seal of its own; the agent logs in there. */
async function prepareNamespace({ world, dir, kept, after }: Prepared): Promise<Start> {
  const { bao } = world;
  const seal = 'seal "shamir" {\n shares = 1\n threshold = 1\n}';
  const { data } = await bao.api<{ key_shares: string[] }>('POST', `sys/namespaces/${TEAM}`, { seal });
  kept.set('key', data.key_shares[0]);
  await unseal(world, kept);
  await bao.api('POST', 'sys/mounts/secret', { type: 'kv', options: { version: '2' } }, inTeam(world));
  await eventually(() => bao.api('GET', 'secret/config', undefined, inTeam(world)));
  const policy = 'path "secret/data/*" { capabilities = ["read"] }';
  await bao.api('PUT', 'sys/policies/acl/shop', { policy }, inTeam(world));
  const { auth } = await bao.api('POST', 'auth/token/create', { policies: ['shop'], ttl: '1h' }, inTeam(world));
  const tokenFile = join(dir, 'team-token');
  await writeFile(tokenFile, auth.client_token);
  after(() => undefined);
  return { backend: { namespace: TEAM, auth: { method: 'token', tokenFile } } };
}

const unseal = ({ bao }: World, kept: Scene['kept']) =>
  bao.api('PUT', `sys/namespaces/${TEAM}/unseal`, { key: kept.get('key') });

export const SERVERS: readonly FaultCase[] = [
  {
    id: 'server-killed',
    group,
    fault: 'the server is killed, and comes back with its data',
    on,
    setup: persistent,
    inject: ({ world }) => world.bao.kill(),
    heal: ({ world }) => world.bao.start(),
    expect: { codes: ['BACKEND_UNREACHABLE'] },
    check: ({ agent }) => expect(agent.facts('login-made').length).toBe(1),
  },
  {
    id: 'server-suspended',
    group,
    fault: 'the server hangs (SIGSTOP)',
    on,
    setup: { world: {} },
    inject: ({ world, kept }) => {
      world.bao.suspend();
      kept.set('suspended', true);
    },
    heal: ({ world }) => world.bao.resume(),
    expect: { codes: ['BACKEND_TIMEOUT'] },
  },
  {
    id: 'server-sealed',
    group,
    fault: 'the server is sealed, then started again',
    on,
    setup: persistent,
    inject: ({ world }) => world.bao.api('PUT', 'sys/seal'),
    heal: async ({ world }) => {
      await world.bao.kill();
      await world.bao.start();
    },
    expect: { codes: ['BACKEND_UNAVAILABLE'] },
  },
  {
    id: 'namespace-sealed',
    group,
    fault: 'one namespace is sealed, then unsealed',
    on,
    setup: {
      world: {},
      prepare: prepareNamespace,
      put: (world, path, value) => world.bao.api('POST', `secret/data/${path}`, { data: { value } }, inTeam(world)),
    },
    inject: ({ world }) => world.bao.api('PUT', `sys/namespaces/${TEAM}/seal`),
    heal: async ({ world, kept, rotate }) => {
      await unseal(world, kept);
      await eventually(rotate);
    },
    expect: { codes: ['BACKEND_UNAVAILABLE'] },
  },
  {
    id: 'server-empty',
    group,
    fault: 'the server comes back empty, and is set up again',
    on,
    setup: { world: {} },
    inject: async ({ world }) => {
      await world.bao.kill();
      await world.bao.start();
    },
    heal: ({ world }) => world.furnishAgain(),
    expect: { codes: ['AUTH_DENIED', 'SECRET_DENIED'], ready: true },
  },
  {
    id: 'server-empty-aws',
    group,
    fault: 'the server comes back empty, and is filled again',
    on: 'AWS (moto)',
    setup: { world: {} },
    inject: async ({ moto }) => {
      await moto.kill();
      await moto.start();
    },
    heal: ({ rotate }) => rotate(),
    expect: { codes: ['SECRET_NOT_FOUND', 'SECRET_DELETED'], rotated: 'no value comes' },
  },
  {
    id: 'stale-standby',
    group,
    fault: 'a standby that is behind answers with an older version; the value does not change back',
    on,
    inject: async (scene) => {
      const { proxy, path, files, api } = scene;
      const old = proxy.answers.get(`/v1/secret/data/${path}`);
      if (old === undefined) throw new Error('the secret was not read');
      await scene.rotate();
      await eventually(() => expect([files.seen.last, api.seen.last]).toEqual([scene.number, scene.number]));
      proxy.fault(write(old));
    },
    heal: ({ proxy }) => proxy.fault(),
    expect: { secret: 'fresh' },
  },
];
