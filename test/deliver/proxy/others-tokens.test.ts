import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Answerer, reply, startFaultServer } from '../../faults/fault-server.ts';
import { startProxy } from './proxy.helpers.ts';

const errors = (...said: readonly string[]) => JSON.stringify({ errors: said });

/**
 * A server that behaves as Vault: it refuses lookup-self to the agent's token (a policy without `default`), answers
 * "bad token" about an unknown token in a request, and "invalid token" when the token of the request itself is dead.
 */
async function fronting() {
  const logins: string[] = [];
  let dead = '';
  const invalid = errors('2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n');
  const answer: Answerer = (asked, socket) => {
    const token = asked.headers['x-vault-token'] ?? '';
    const say = (status: number, body: string) => reply(status, body)(asked, socket);
    if (asked.path === '/v1/auth/userpass/login/u') {
      logins.push(`s.${logins.length + 1}`);
      const auth = { client_token: logins.at(-1), lease_duration: 3600, renewable: true, accessor: 'a' };
      return say(200, JSON.stringify({ auth }));
    }
    if (token === dead) return say(403, invalid);
    if (asked.path === '/v1/auth/token/lookup-self' || asked.path === '/v1/denied') {
      return say(403, errors('1 error occurred:\n\t* permission denied\n\n'));
    }
    if (asked.path.includes('/auth/token/')) return say(403, errors('bad token'));
    if (asked.path.startsWith('/v1/auth/') || asked.path.startsWith('/v1/sys/')) return say(403, invalid);
    return say(200, JSON.stringify({ data: { token } }));
  };
  const server = await startFaultServer(answer);
  onTestFinished(() => server[Symbol.asyncDispose]());
  const dir = mkdtempSync(join(tmpdir(), 'pannier-proxy-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const passwordFile = join(dir, 'password');
  writeFileSync(passwordFile, 'p');
  const auth = { method: 'userpass', username: 'u', passwordFile } as const;
  const proxy = await startProxy({ address: server.address, auth });
  const token = async () => (await proxy.ask('GET', '/v1/secret/x')).json.data.token;
  const endLogin = () => {
    dead = logins.at(-1) ?? '';
  };
  // The first refusal shows that lookup-self says nothing about this login, see `TokenLiveness`.
  expect((await proxy.ask('GET', '/v1/denied')).status).toBe(403);
  return { proxy, token, logins, endLogin };
}

describe('what a client asks about other tokens', () => {
  it.each([
    ['auth/token/lookup', { token: 's.bogus' }],
    ['auth/token/renew', { token: 's.bogus' }],
    ['auth/token/revoke-accessor', { accessor: 'bogus' }],
    ['team/auth/token/lookup', { token: 's.bogus' }],
    ['auth/jwt/login', { jwt: 'bogus' }],
    ['sys/capabilities', { token: 's.bogus' }],
    ['sys/wrapping/rewrap', { token: 's.bogus' }],
  ])("says nothing about the agent's login (%s)", async (path, body) => {
    const { proxy, token, logins } = await fronting();
    const before = await token();
    for (let i = 0; i < 5; i++) expect((await proxy.ask('POST', `/v1/${path}`, { body })).status).toBe(403);
    expect(await token()).toBe(before);
    expect(logins.length).toBeLessThanOrEqual(2);
  });

  it("does not hide that the agent's login is dead", async () => {
    const { proxy, token, logins, endLogin } = await fronting();
    const before = await token();
    await proxy.ask('POST', '/v1/auth/token/lookup', { body: { token: 's.bogus' } });
    endLogin();
    expect(await token()).not.toBe(before);
    expect(await token()).toBe(logins.at(-1));
  });
});
