/** Many secrets whose requests hang, beside secrets whose requests do not. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { eventually, type LogLine } from '../../system/agent.helpers.ts';
import type { FaultCase, Prepared, Scene, Start } from '../case.ts';
import { hang } from '../fault-server.ts';
import { isLetIn } from './access.ts';

/** Three times as many as an agent sends at once. */
const NAMES = Array.from({ length: 48 }, (_, nth) => `hung${nth}`);
const pathOf = (name: string) => `shop/hung/${name}`;

async function putAll({ world }: Prepared): Promise<Start> {
  for (const name of NAMES) await world.bao.api('POST', `secret/data/${pathOf(name)}`, { data: { value: 'one' } });
  return {};
}

const userOf = ({ dir }: Scene) => readFile(join(dir, 'db', 'user'), 'utf8');

/** The lease is renewed again and again while polls hold all places, and its user stays. */
async function leaseIsKept(scene: Scene): Promise<void> {
  const { agent, kept } = scene;
  const hung = agent.facts('backend-failed').length + NAMES.length;
  await agent.waitFor('backend-failed', { count: hung, withinMs: 60_000 });
  const renewed = agent.facts('secret-renewed').length + 3;
  await agent.waitFor('secret-renewed', { count: renewed, withinMs: 60_000 });
  await eventually(async () => expect(await isLetIn(scene)).toBe(true));
  expect(await userOf(scene)).toBe(kept.get('user'));
}

const HUNG_MANY: FaultCase = {
  id: 'hang-many',
  group: 'Answers that are none',
  fault:
    'no answer comes for 48 secrets of one path; another secret and a lease of 6 s go on (looked at: one of the 48)',
  on: 'OpenBao',
  setup: {
    world: { database: true, databaseTtl: '6s' },
    // Longer than a lease of 6 s has left when it is renewed.
    backend: { timeout: '4s' },
    prepare: putAll,
    more: (dir) => ({
      secrets: {
        db: { read: 'database/creds/shop' },
        ...Object.fromEntries(NAMES.map((name) => [name, { kv: `secret/${pathOf(name)}`, refresh: '5s' }])),
      },
      outputs: {
        db: { dir: join(dir, 'db'), files: { user: { content: '{{db.username}} {{db.password}}' } } },
        hung: { dir: join(dir, 'hung'), files: { 'all.json': { format: 'json', from: NAMES } } },
      },
    }),
  },
  inject: async (scene) => {
    const { proxy, kept } = scene;
    kept.set('user', await userOf(scene));
    proxy.fault((request, socket) => (request.path.includes('/shop/hung/') ? hang : proxy.pass)(request, socket));
  },
  heal: ({ proxy }) => proxy.fault(),
  during: leaseIsKept,
  expect: { of: 'hung0', codes: ['BACKEND_TIMEOUT'], rotated: 'in the fault', peak: 64, peakAfter: 96 },
};

/** More than fetches of one mount run at once. */
const OTHERS = Array.from({ length: 300 }, (_, nth) => `other${nth}`);

async function putOthers({ world }: Prepared): Promise<Start> {
  for (const name of OTHERS) await world.bao.api('POST', `kv1/hung/${name}`, { value: 'one' });
  return {};
}

/** The secret of the other mount keeps its pace, which is a poll in half a second, while hundreds wait. */
async function paceIsKept({ agent, path }: Scene): Promise<void> {
  await agent.waitFor('backend-failed', { count: agent.facts('backend-failed').length + 16, withinMs: 60_000 });
  const fits = ({ call }: LogLine) => call === `GET secret/data/${path}`;
  const asked = agent.facts('backend-answered').filter(fits).length;
  await agent.waitFor('backend-answered', { fits, count: asked + 10, withinMs: 20_000 });
}

const HUNG_BESIDE: FaultCase = {
  id: 'hang-mount',
  group: 'Answers that are none',
  fault: 'no answer comes for 300 secrets of another mount (looked at: the usual secret, which keeps its pace)',
  on: 'OpenBao',
  setup: {
    world: {},
    backend: { timeout: '4s' },
    prepare: putOthers,
    more: (dir) => ({
      secrets: Object.fromEntries(OTHERS.map((name) => [name, { kv: `kv1/hung/${name}`, refresh: '20s' }])),
      outputs: { others: { dir: join(dir, 'others'), files: { 'all.json': { format: 'json', from: OTHERS } } } },
    }),
  },
  inject: ({ proxy }) => {
    proxy.fault((request, socket) => (request.path.startsWith('/v1/kv1/') ? hang : proxy.pass)(request, socket));
  },
  heal: ({ proxy }) => proxy.fault(),
  during: paceIsKept,
  expect: { secret: 'fresh', rotated: 'in the fault', peak: 100, peakAfter: 400 },
};

export const HUNG: readonly FaultCase[] = [HUNG_MANY, HUNG_BESIDE];
