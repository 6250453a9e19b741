import { describe, expect, it } from 'vitest';
import { reply, route } from '../faults/fault-server.ts';
import { createAuthority } from '../servers/certificates.ts';
import { connect, serve } from './client.helpers.ts';

const good = reply(200, '{"data":{"from":"active"}}');
const to = (location: string, status = 307) => reply(status, '', { Location: location });

describe('a redirect', () => {
  it.each([301, 302, 307, 308])('with status %i keeps method, body, token and namespace', async (status) => {
    const active = await serve(good);
    const standby = await serve(to(`${active.address}/v1/auth/x/login?a=b`, status));
    const { ask } = connect(standby.address, { namespace: 'team' });
    expect((await ask('auth/x/login', { method: 'POST', body: { role: 'shop' } })).status).toBe(200);
    expect(active.requests).toMatchObject([
      {
        method: 'POST',
        path: '/v1/auth/x/login?a=b',
        body: '{"role":"shop"}',
        headers: { 'x-vault-token': 'hvs.canary', 'x-vault-namespace': 'team', host: `127.0.0.1:${active.port}` },
      },
    ]);
  });

  it('may be relative', async () => {
    const server = await serve(route({ '/v1/old': to('/v1/new'), '/v1/new': good }));
    expect((await connect(server.address).ask('old')).status).toBe(200);
    expect(server.connections()).toBe(1);
  });

  it('is followed once: a second one is BACKEND_REDIRECT', async () => {
    const server = await serve(to('/v1/again'));
    const failed = await connect(server.address).failing('x');
    expect(failed).toMatchObject({ code: 'BACKEND_REDIRECT', seen: expect.stringContaining('a second redirect') });
    expect(server.requests).toHaveLength(2);
  });

  it('from https to http is not followed, and the token stays', async () => {
    const plain = await serve(good);
    const { tls, files } = await secure();
    const server = await serve(to(plain.address), { tls });
    const failed = await connect(server.address, { tls: { ...files, skipVerify: true } }).failing('x');
    expect(failed).toMatchObject({ code: 'BACKEND_REDIRECT', seen: expect.stringContaining('from https to http') });
    expect(plain.connections()).toBe(0);
  });

  it('from http to https is followed', async () => {
    const { tls } = await secure();
    const active = await serve(good, { tls });
    const standby = await serve(to(`${active.address}/v1/x`));
    expect((await connect(standby.address, { tls: { skipVerify: true } }).ask('x')).status).toBe(200);
  });

  it('from a unix socket is not followed', async () => {
    const plain = await serve(good);
    const server = await serve(to(plain.address), { unix: true });
    expect(await connect(server.address).failing('x')).toMatchObject({ code: 'BACKEND_REDIRECT' });
    expect(plain.connections()).toBe(0);
  });

  it.each([
    ['of another status', reply(303, '', { Location: '/v1/x' })],
    ['without a place', reply(307)],
    ['to another protocol', to('ftp://canary/x')],
    ['to no address', to('http://[canary')],
  ])('%s is not followed and not quoted', async (_, answerer) => {
    const server = await serve(answerer);
    const failed = await connect(server.address).failing('x');
    expect(failed.code).toBe('BACKEND_REDIRECT');
    expect(JSON.stringify(failed)).not.toContain('canary');
    expect(server.requests).toHaveLength(1);
  });

  it('of every request at once does not stop the pool', async () => {
    const active = await serve(good);
    const standby = await serve(to(`${active.address}/v1/x`));
    const { ask } = connect(standby.address);
    await Promise.all(Array.from({ length: 200 }, () => ask('x')));
    expect(standby.connections()).toBeLessThanOrEqual(16);
    expect(active.connections()).toBeLessThanOrEqual(16);
    expect(active.requests).toHaveLength(200);
  });
});

async function secure() {
  const { certificatePem: cert, keyPem: key } = createAuthority('ca').issue({
    commonName: 'localhost',
    altNames: ['127.0.0.1'],
  });
  return { tls: { cert, key }, files: {} };
}
