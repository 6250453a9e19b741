import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { VaultStatusError } from '../../../../src/backend/vault/client/client.ts';
import { Secret } from '../../../../src/base/secret.ts';
import { isFields, lookUp, plainText } from '../../../../src/base/value.ts';
import { connect, type TestClient } from '../../../http/client.helpers.ts';
import { enableKv, type OpenBao, startOpenBao } from '../../../servers/index.ts';

let bao: OpenBao;
beforeAll(async () => {
  bao = await startOpenBao({ tls: true, unix: true });
  await enableKv(bao, 'kv', 2);
  await bao.api('POST', 'kv/data/team/a b%3Fc', { data: { big: 2 ** 52, text: 'grün' } });
});
afterAll(() => bao.stop());

const ask = ({ ask }: TestClient, path: string, more = {}) => ask(path, { token: Secret.text(bao.rootToken), ...more });

describe('a real OpenBao', () => {
  it.each(['http', 'https', 'unix'])('is read, listed, written and deleted over %s', async (over) => {
    const { tls, address, socket } = bao;
    const client =
      over === 'https'
        ? connect(tls.address, { tls: { caFile: tls.caFile, skipVerify: false } })
        : connect(over === 'unix' ? `unix://${socket}` : address);
    const read = await ask(client, 'kv/data/team/a b?c');
    expect(plainText(lookUp(read.body, 'data', 'data', 'text'))).toBe('grün');
    const list = await ask(client, 'kv/metadata/team/', { method: 'LIST' });
    expect(lookUp(list.body, 'data', 'keys')).toHaveLength(1);
    const body = { data: { x: Secret.text('ä"x') } };
    expect((await ask(client, `kv/data/${over}`, { method: 'POST', body })).status).toBe(200);
    const back = await ask(client, `kv/data/${over}`, { query: { version: '1' } });
    expect(plainText(lookUp(back.body, 'data', 'data', 'x'))).toBe('ä"x');
    expect((await ask(client, `kv/data/${over}`, { method: 'DELETE' })).status).toBe(204);
    const gone = await ask(client, `kv/data/${over}`).catch((error: unknown) => error);
    expect(gone).toMatchObject({ status: 404, failure: { code: 'SECRET_NOT_FOUND' } });
    expect(isFields(lookUp((gone as VaultStatusError).body, 'data', 'metadata'))).toBe(true);
  });

  it('says what it refuses in known words', async () => {
    const client = connect(bao.address);
    const seen = async (path: string, more = {}) =>
      ((await ask(client, path, more).catch((error: unknown) => error as VaultStatusError)) as VaultStatusError)
        .failure;
    const none = { token: Secret.text('s.not-a-token') };
    expect(await seen('kv/data/x', none)).toMatchObject({
      code: 'SECRET_DENIED',
      seen: expect.stringMatching(/\(.+\) for GET kv\/data\/x$/),
    });
    expect(await seen('nowhere/x')).toMatchObject({ seen: expect.stringContaining('(no handler for route)') });
    expect(await seen('sys/leases/renew', { method: 'PUT', body: { lease_id: 'a/b' } })).toMatchObject({
      code: 'BACKEND_REJECTED',
      seen: expect.stringContaining('(lease not found)'),
    });
    expect(await seen('kv/data/..a/../x')).toMatchObject({ code: 'BACKEND_REJECTED' });
  });

  it('answers three hundred calls at once', async () => {
    const client = connect(bao.address);
    const answers = await Promise.all(Array.from({ length: 300 }, () => ask(client, 'kv/data/team/a b?c')));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
  });
});
