import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findFreePort, hasGo, startOpenBaoProxy, writePolicy } from '../servers/index.ts';
import { createPlace, startAgent } from './agent.helpers.ts';
import { baoOf, useScene, useWorld } from './openbao.helpers.ts';
import { bao, type Client, comparable, go, hvac, nodeVault, type Route } from './same-answers.helpers.ts';

const canBuild = await hasGo();
const scene = useScene();
const world = useWorld({ database: true });

const POLICY = `
path "secret/data/shop/*" { capabilities = ["create", "read", "update", "patch", "delete"] }
path "secret/metadata/shop/*" { capabilities = ["read", "list", "delete"] }
path "database/creds/*" { capabilities = ["read"] }
path "sys/leases/renew" { capabilities = ["update"] }
`;

/** Straight to the server with a token of the role, through a real `bao proxy`, and through Pannier's proxy. */
let routes: readonly [Route, Route, Route];
const kept = new AsyncDisposableStack();

beforeAll(async () => {
  await writePolicy(world().bao, 'shop', POLICY);
  const login = { role: 'shop', tokenFile: world().tokenFile };
  const theirs = kept.use(await startOpenBaoProxy({ address: world().bao.address, login, cache: true }));
  const { config } = kept.use(await createPlace());
  const listen = `127.0.0.1:${await findFreePort()}`;
  const proxy = { listen, useAutoAuthToken: true, requireRequestHeader: false, cache: { staticKv: {} } };
  const agent = startAgent(['run', '-c', await config({ backends: { bao: baoOf(world()) }, proxy })]);
  kept.defer(async () => void (await agent.stop()));
  await Promise.all([agent.waitFor('listener-opened'), agent.waitFor('login-made')]);
  routes = [
    { address: world().bao.address, token: await world().login() },
    { address: theirs.address, token: undefined },
    { address: `http://${listen}`, token: undefined },
  ];
}, 60_000);
afterAll(() => kept.disposeAsync());

/** `bao proxy` leaves fields out of what it says about its own token. */
const withoutSelf = (text: string) => text.replace(/^(?:self |token lookup)[\s\S]*?\n(?=\w|$)/m, '');

async function compare(client: Client, together = false) {
  const { dir } = await scene.place();
  const ask = async (route: Route) => comparable(await client(route, dir), route);
  const answers: string[] = [];
  if (together) answers.push(...(await Promise.all(routes.map(ask))));
  else for (const route of routes) answers.push(await ask(route));
  const [direct = '', theirs = '', ours = ''] = answers;
  expect(direct).toContain('ü');
  expect(withoutSelf(theirs)).toBe(withoutSelf(direct));
  expect(ours).toBe(direct);
}

describe('a client gets the same answers from the server, through bao proxy, and through Pannier', () => {
  it('bao', async () => await compare(bao, true), 60_000);
  it('hvac', async () => await compare(hvac), 60_000);
  it('node-vault', async () => await compare(nodeVault), 60_000);
  it.skipIf(!canBuild)(
    "a program with OpenBao's Go library (needs go on the PATH)",
    async () => {
      await compare(go);
    },
    300_000,
  );
});
