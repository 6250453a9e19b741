import { existsSync, readFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { eventually } from './agent.helpers.ts';
import { useScene, useWorld } from './openbao.helpers.ts';

const scene = useScene();
const world = useWorld({ database: true });

/** Writes who it is and its database user to a file, and ends when `go` is there, or by a signal. */
const CHILD = 'echo "$$ $DBUSER $DBPASSWORD" > "$0.tmp"; mv "$0.tmp" "$0"; until [ -e "$0.go" ]; do sleep 0.05; done';

/** An exec with a token of its own and a database user; `create` says how the token is made. */
async function setUp(create: object = {}, address = world().bao.address, end = 'exit 3') {
  const { bao, postgres } = world();
  const { auth } = await bao.api('POST', 'auth/token/create', { policies: ['shop'], ttl: '1h', ...create });
  const token = String(auth.client_token);
  const place = await scene.place();
  const file = join(place.dir, 'child');
  const config = await place.config({
    backends: { bao: { kind: 'vault', address, auth: { method: 'token', token, revokeOnExit: true } } },
    secrets: { db: { read: 'database/creds/shop' } },
    api: { socket: join(place.dir, 'api.sock') },
    exec: {
      command: ['sh', '-c', `${CHILD}; ${end}`, file],
      env: { DBUSER: '{{db.username}}', DBPASSWORD: '{{db.password}}' },
    },
  });
  const agent = scene.exec(config, [], { args: [] });
  const [pid = '', user = '', password = ''] = await eventually(() => {
    expect(existsSync(file)).toBe(true);
    return readFileSync(file, 'utf8').trim().split(' ');
  });
  return {
    agent,
    pid: Number(pid),
    go: () => place.config({}, 'child.go'),
    hasToken: () =>
      bao.api('GET', 'auth/token/lookup-self', undefined, { token }).then(
        () => true,
        () => false,
      ),
    hasUser: () => postgres.canLogin(user, password),
  };
}

/** A way to the server that can be closed: from then on connections are taken, and nothing is answered. */
async function startGate() {
  const to = new URL(world().bao.address);
  const open: Socket[] = [];
  let isOpen = true;
  const server = createServer((socket) => {
    open.push(socket);
    socket.on('error', () => {});
    if (!isOpen) return;
    const there = connect(Number(to.port), to.hostname).on('error', () => {});
    open.push(there);
    socket.on('data', (data) => isOpen && there.write(data));
    there.on('data', (data) => socket.write(data));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return {
    address: `http://127.0.0.1:${(server.address() as { port: number }).port}`,
    close: () => {
      isOpen = false;
    },
  };
}

describe('the end of exec with revokeOnExit', () => {
  it.each([
    ['that ends by itself', 3],
    ['that gets SIGKILL', 137],
  ])('revokes token and database user of a child %s, before it ends itself', async (_, status) => {
    const { agent, pid, go, hasToken, hasUser } = await setUp();
    expect([await hasToken(), await hasUser()]).toEqual([true, true]);
    if (status === 3) await go();
    else process.kill(pid, 'SIGKILL');
    expect(await agent.ended).toBe(status);
    expect([await hasToken(), await hasUser()]).toEqual([false, false]);
    const facts = agent.lines().map(({ fact }) => fact);
    expect(facts.indexOf('login-revoked')).toBeLessThan(facts.indexOf('listener-closed'));
    const after = facts.slice(facts.indexOf('child-ended') + 1);
    expect(after.filter((fact) => fact.endsWith('-revoked')).sort()).toEqual(['login-revoked', 'secret-revoked']);
    expect(agent.facts('login-revoked')).toMatchObject([{ level: 'info' }]);
  });

  it('revokes the lease by itself where the login cannot be revoked', async () => {
    const { agent, go, hasUser } = await setUp({ type: 'batch' });
    await go();
    expect(await agent.ended).toBe(3);
    expect(await hasUser()).toBe(false);
    expect(agent.facts('secret-revoked')).toHaveLength(1);
  });

  it('revokes the login where the policy does not allow to revoke leases, and the server ends them', async () => {
    const policy = 'path "database/creds/*" { capabilities = ["read"] }';
    await world().bao.api('PUT', 'sys/policies/acl/reader', { policy });
    const { agent, go, hasToken, hasUser } = await setUp({ policies: ['reader'] });
    await go();
    expect([await agent.ended, await hasToken()]).toEqual([3, false]);
    expect(agent.facts('secret-revoked')).toEqual([]);
    expect(agent.facts('agent-warning').map(({ code }) => code)).not.toContain('LEASE_NOT_REVOKED');
    await eventually(async () => expect(await hasUser()).toBe(false));
  });

  it('keeps the status of the child when the server is silent, and says that nothing was revoked', async () => {
    const gate = await startGate();
    const { agent, go, hasToken } = await setUp({}, gate.address);
    gate.close();
    await go();
    expect(await agent.ended).toBe(3);
    expect(agent.facts('login-revoked')).toMatchObject([{ code: 'BACKEND_TIMEOUT', level: 'warn' }]);
    expect(await hasToken()).toBe(true);
  });

  it('waits for a silent server no longer when a second SIGTERM comes', async () => {
    const gate = await startGate();
    const { agent } = await setUp({}, gate.address);
    gate.close();
    agent.kill('SIGTERM');
    await agent.waitFor('child-ended');
    const again = setInterval(() => agent.kill('SIGTERM'), 20); // the first ones may come while the child is ending
    expect(await agent.ended.finally(() => clearInterval(again))).toBe(143);
    expect(agent.facts('login-revoked')).toEqual([]);
  });
});
