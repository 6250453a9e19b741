import { describe, expect, it } from 'vitest';
import { VaultStatusError } from '../../../../src/backend/vault/client/client.ts';
import { reply } from '../../../faults/fault-server.ts';
import { connect, serve } from '../../../http/client.helpers.ts';

const errors = (...said: string[]) => JSON.stringify({ errors: said });

describe('a status', () => {
  it.each([
    [400, 'BACKEND_REJECTED', 'never'],
    [403, 'SECRET_DENIED', 'backoff'],
    [404, 'SECRET_NOT_FOUND', 'backoff'],
    [405, 'BACKEND_REJECTED', 'never'],
    [412, 'BACKEND_NOT_READY', 'backoff'],
    [418, 'BACKEND_MALFORMED', 'backoff'],
    [429, 'BACKEND_THROTTLED', 'backoff'],
    [472, 'BACKEND_NOT_READY', 'backoff'],
    [473, 'BACKEND_NOT_READY', 'backoff'],
    [500, 'BACKEND_UNAVAILABLE', 'backoff'],
    [503, 'BACKEND_UNAVAILABLE', 'backoff'],
    [201, 'BACKEND_MALFORMED', 'backoff'],
  ])('%i is %s, retry %s, and a fact with the status', async (status, code, retry) => {
    const server = await serve(reply(status, '{}'));
    const { failing, facts } = connect(server.address);
    expect(await failing('secret/x')).toMatchObject({
      code,
      retry,
      seen: `HTTP ${status} from ${server.address} for GET secret/x`,
    });
    expect(facts).toMatchObject([{ kind: 'backend-answered', backend: 'bao', call: 'GET secret/x', status }]);
  });

  it.each([200, 202, 204])('%i is an answer', async (status) => {
    const server = await serve(reply(status, status === 204 ? '' : '{"a":1}', { 'X-Vault-Index': 'i' }));
    const answer = await connect(server.address).ask('x');
    expect(answer.status).toBe(status);
    expect(answer.headers['x-vault-index']).toBe('i');
  });

  it('keeps the body of an error, since KV v2 answers 404 with metadata', async () => {
    const server = await serve(reply(404, '{"data":{"data":null,"metadata":{"deletion_time":"2026"}}}'));
    const failed = await connect(server.address)
      .ask('x')
      .catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(VaultStatusError);
    expect((failed as VaultStatusError).status).toBe(404);
    expect([...(failed as VaultStatusError).body.keys()]).toEqual(['data']);
  });
});

describe('what the server says', () => {
  it.each([
    [403, '1 error occurred:\n\t* permission denied\n\n', 'permission denied', 'backoff'],
    [403, 'permission denied,2 errors occurred: * permission denied * invalid token', 'invalid token', 'login'],
    [403, 'bad token', 'bad token', 'backoff'],
    [403, 'namespace not authorized', 'namespace not authorized', 'backoff'],
    [404, 'no handler for route "canary/x". route entry not found.', 'no handler for route', 'backoff'],
    [400, 'invalid role name "canary"', 'invalid role name', 'never'],
    [400, 'role "canary" could not be found', 'role not found', 'never'],
    [400, 'role with oidc role_type is not allowed: canary', undefined, 'never'],
    [400, 'invalid role or secret ID', 'invalid role or secret ID', 'never'],
    [403, 'service account name not authorized', 'service account name not authorized', 'backoff'],
    [400, 'lease not found', 'lease not found', 'never'],
    [400, 'invalid lease ID canary', 'invalid lease', 'never'],
    [503, 'Vault is sealed', 'Vault is sealed', 'backoff'],
    [503, 'namespace is sealed', 'namespace is sealed', 'backoff'],
    [500, 'pq: password of canary is wrong', undefined, 'backoff'],
    [429, 'request path "x": rate limit quota exceeded', 'rate limit quota exceeded', 'backoff'],
    [400, 'missing client token', 'missing client token', 'never'],
  ])('%i %s is shown as %s', async (status, said, shown, retry) => {
    const server = await serve(reply(status, errors('', said)));
    const failed = await connect(server.address).failing('x');
    expect(failed.seen).toMatch(/^HTTP \d{3} from \S+( \([^)]*\))? for [A-Z]+ \S+$/);
    expect(/\((.*)\) for/.exec(failed.seen)?.[1]).toBe(shown);
    expect(failed.retry).toBe(retry);
    expect(JSON.stringify(failed)).not.toContain('canary');
  });

  it.each([
    ['the common_name field is required, or must be provided in a CSR', 'the common_name field is required'],
    ['common name canary not allowed by this role', 'the common name is not allowed by this role'],
    ['the value "canary" is not a valid IP address', 'not a valid IP address'],
    [
      'Field validation failed: error converting input for field "ttl": time: invalid duration "canary"',
      'ttl is not a duration',
    ],
    [
      'Field validation failed: error converting input canary for field "ttl": time: invalid duration',
      'invalid duration',
    ],
    ['error converting input for field "ttl": time: unknown unit for field "canary": time: ', 'ttl is not a duration'],
    ['error converting input for field "csr": canary', 'csr does not fit'],
    ['1 error occurred:\n\t* could not fetch the CA certificate: canary\n\n', 'failed to find issuer'],
    ['root canary is not a valid value for valid_principals', 'a principal is not allowed by this role'],
    ['"canary" is not an allowed role', 'the role is not allowed by the database connection'],
    ['a plugin says: canary', undefined],
  ])('400 %s is shown as %s', async (said, shown) => {
    const server = await serve(reply(400, errors(said)));
    const failed = await connect(server.address).failing('x');
    expect(/\((.*)\) for/.exec(failed.seen)?.[1]).toBe(shown);
    expect(JSON.stringify(failed)).not.toContain('canary');
  });

  it('is ignored when it is not a list of texts', async () => {
    for (const body of ['{"errors":{"a":"permission denied"}}', '{"errors":[{"x":"bad token"},7,null]}']) {
      const server = await serve(reply(403, body));
      expect((await connect(server.address).failing('x')).seen).toBe(`HTTP 403 from ${server.address} for GET x`);
    }
  });

  it('says to unseal a namespace when it is sealed, and to look at HTTP_PROXY when a proxy wants a login', async () => {
    const server = await serve(reply(503, errors('namespace is sealed')));
    expect((await connect(server.address).failing('x')).hint).toContain('Unseal the namespace');
    const proxy = await serve(reply(407, '<html>canary</html>', { 'Content-Type': 'text/html' }));
    expect(await connect(proxy.address).failing('x')).toMatchObject({
      code: 'BACKEND_UNREACHABLE',
      hint: expect.stringContaining('HTTP_PROXY'),
    });
  });

  it('says to unseal the server when it is sealed', async () => {
    const server = await serve(reply(503, errors('error performing token check: Vault is sealed')));
    expect((await connect(server.address).failing('x')).hint).toContain('Unseal');
  });
});

describe('Retry-After', () => {
  it.each([
    ['7', 7000],
    ['0', 0],
    ['86400', 86_400_000],
    ['9999999999', 9_999_999_999_000],
    ['9'.repeat(20), Number.MAX_SAFE_INTEGER],
    [new Date(Date.now() - 60_000).toUTCString(), 0],
    ['soon', undefined],
    ['-5', undefined],
  ])('%s is %s ms', async (header, ms) => {
    const server = await serve(reply(503, '{}', { 'Retry-After': header }));
    expect((await connect(server.address).failing('x')).retryAfterMs).toBe(ms);
  });

  it('may be a date', async () => {
    const server = await serve(reply(429, '{}', { 'Retry-After': new Date(Date.now() + 30_000).toUTCString() }));
    const { retryAfterMs } = await connect(server.address).failing('x');
    expect(retryAfterMs).toBeGreaterThan(25_000);
    expect(retryAfterMs).toBeLessThanOrEqual(30_000);
  });
});
