import { describe, expect, it, onTestFinished } from 'vitest';
import { type Answerer, reply, startFaultServer } from '../../faults/fault-server.ts';
import { startProxy } from './proxy.helpers.ts';

const CANARY = 's.canary-of-the-other-proxy';

/** Another proxy, which adds its token to requests without one, and shows it where it is asked about. */
async function fronting() {
  const tokens: (string | undefined)[] = [];
  const answer: Answerer = (asked, socket) => {
    tokens.push(asked.headers['x-vault-token']);
    const auth = asked.path.endsWith('renew-self') ? { client_token: CANARY, lease_duration: 60 } : null;
    return reply(200, JSON.stringify({ data: { id: CANARY, ttl: 60 }, auth }))(asked, socket);
  };
  const server = await startFaultServer(answer);
  onTestFinished(() => server[Symbol.asyncDispose]());
  const proxy = await startProxy({ address: server.address, auth: { method: 'none' } });
  return { proxy, tokens };
}

describe('the token of another proxy on the way', () => {
  it.each([
    ['GET', '/v1/auth/token/lookup-self'],
    ['POST', '/v1/auth/token/renew-self'],
  ])('is not in the answer to %s %s', async (method, path) => {
    const { proxy, tokens } = await fronting();
    const got = await proxy.ask(method, path);
    expect([got.status, tokens]).toEqual([200, [undefined]]);
    expect(got.text).toContain('"ttl":60');
    expect(got.text).not.toContain(CANARY);
  });

  it('is neither revoked nor wrapped by a client', async () => {
    const { proxy, tokens } = await fronting();
    expect((await proxy.ask('POST', '/v1/auth/token/revoke-self')).status).toBe(403);
    const wrapped = { headers: { 'X-Vault-Wrap-TTL': '60' } };
    expect((await proxy.ask('GET', '/v1/auth/token/lookup-self', wrapped)).status).toBe(403);
    expect(tokens).toEqual([]);
  });

  it('is not in the place of a token that a client sends', async () => {
    const { proxy, tokens } = await fronting();
    await proxy.ask('GET', '/v1/secret/data/a', { headers: { 'X-Vault-Token': 's.own' } });
    expect(tokens).toEqual(['s.own']);
  });
});
