import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { isSecret } from '../../../../src/base/value.ts';
import { awsError } from '../../../faults/aws-proxy.ts';
import { expectNoLeaks } from '../../../faults/leaks.ts';
import { held, plain } from '../../vault/source/vault.helpers.ts';
import { secret, useAws } from './aws.helpers.ts';

expectNoLeaks();
const aws = useAws();

describe('a secret of Secrets Manager', () => {
  it.each<[string, string, unknown]>([
    [
      'a JSON object',
      '{"user":"me","port":5432,"big":9007199254740993,"exact":1.10,"in":{"a":[1]}}',
      { user: 'me', port: '5432', big: '9007199254740993', exact: '1.10', in: { a: ['1'] } },
    ],
    ['an empty object', '{}', {}],
    ['text', 'hunter2\n', { value: 'hunter2\n' }],
    ['a JSON array', '[1, 2]', { value: '[1, 2]' }],
    ['a JSON number', '1.10', { value: '1.10' }],
    ['a JSON text', '"x"', { value: '"x"' }],
    ['invalid JSON', '{"user": me}', { value: '{"user": me}' }],
    ['64 KiB', 'x'.repeat(65_536), { value: 'x'.repeat(65_536) }],
  ])('that is %s gives its fields, or the one field value', async (_, text, fields) => {
    const { moto, open } = aws();
    const name = `kinds/${randomUUID()}`;
    await moto.putSecret(name, text);
    expect(await open().shown(secret(name))).toEqual(fields);
  });

  it('keeps bytes that are not UTF-8', async () => {
    const { moto, open } = aws();
    const bytes = Uint8Array.from([0xff, 0, 0xfe, 10]);
    await moto.putSecret('kinds/bytes', bytes);
    const value = (await open().value(secret('kinds/bytes'))).fields.get('value');
    expect(isSecret(value) && [value.type, ...value.exposeBytes('file')]).toEqual(['bytes', ...bytes]);
  });

  it('is found by its name, whatever characters it has, by its ARN, and by the ARN without its end', async () => {
    const { moto, open } = aws();
    const name = 'prod/a+b=c.d@e-f_g';
    const { ARN } = await moto.putSecret(name, '{"a":"1"}');
    const { shown } = open();
    const ids = [name, ARN, ARN.slice(0, -7)];
    expect(await Promise.all(ids.map((id) => shown(secret(id))))).toEqual(ids.map(() => ({ a: '1' })));
    for (const id of ids) expect(await shown(secret(id))).toEqual({ a: '1' });
  });

  it('of another stage or version is that one', async () => {
    const { moto, open } = aws();
    const { VersionId } = await moto.putSecret('staged', '{"a":"1"}');
    await moto.putSecret('staged', '{"a":"2"}');
    const { shown, failure, fetch, value } = open();
    expect(await shown(secret('staged'))).toEqual({ a: '2' });
    expect(await shown(secret('staged', { stage: 'AWSPREVIOUS' }))).toEqual({ a: '1' });
    expect(await failure(secret('staged', { versionId: randomUUID() }))).toMatchObject({ code: 'SECRET_NOT_FOUND' });
    const pinned = secret('staged', { versionId: VersionId });
    const last = await value(pinned);
    await moto.putSecret('staged', '{"a":"3"}');
    expect(await fetch(pinned, last)).toMatchObject({ state: 'unchanged' });
  });

  it('with previous and pending has the fields of those versions below them, where there are such', async () => {
    const { moto, open } = aws();
    const request = secret('rotated', { previous: true, pending: true });
    await moto.putSecret('rotated', '{"a":"1"}');
    const { shown, fetch, value } = open();
    expect(await shown(request)).toEqual({ a: '1' });
    await moto.putSecret('rotated', '{"a":"2"}');
    const last = await value(request);
    const pending = { SecretId: 'rotated', SecretString: '{"a":"3"}', VersionStages: ['AWSPENDING'] };
    await moto.api('secretsmanager', 'PutSecretValue', { ...pending, ClientRequestToken: randomUUID() });
    expect(await shown(request)).toEqual({ a: '2', previous: { a: '1' }, pending: { a: '3' } });
    expect(await fetch(request, last)).toMatchObject({ state: 'changed' });
    const now = await value(request);
    expect(await fetch(request, now)).toMatchObject({ state: 'unchanged' });
  });

  it('that is unchanged costs one DescribeSecret; another version costs the value as well', async () => {
    const { moto, open, proxy } = aws();
    await moto.putSecret('polled', '{"a":"1"}');
    const { fetch, value } = open();
    const last = await value(secret('polled'));
    proxy.clear();
    expect(await fetch(secret('polled'), last)).toMatchObject({ state: 'unchanged' });
    expect(proxy.calls.map(({ operation }) => operation)).toEqual(['DescribeSecret']);
    await moto.putSecret('polled', '{"a":"2"}');
    expect(await fetch(secret('polled'), last)).toMatchObject({ state: 'changed' });
    expect(proxy.calls.map(({ operation }) => operation)).toEqual([
      'DescribeSecret',
      'DescribeSecret',
      'GetSecretValue',
    ]);
  });

  it('that was deleted for good and made again is another one, though its fields are equal', async () => {
    const { moto, open } = aws();
    await moto.putSecret('again', '{"a":"1"}');
    const { fetch, value } = open();
    const last = await value(secret('again'));
    await moto.api('secretsmanager', 'DeleteSecret', { SecretId: 'again', ForceDeleteWithoutRecovery: true });
    await moto.putSecret('again', '{"a":"2"}');
    expect(await fetch(secret('again'), last)).toMatchObject({ state: 'changed' });
  });

  it('that is scheduled for deletion says so, at the first read and at a poll', async () => {
    const { moto, open } = aws();
    await moto.putSecret('going', '{"a":"1"}');
    const { value, failure } = open();
    const last = await value(secret('going'));
    await moto.api('secretsmanager', 'DeleteSecret', { SecretId: 'going' });
    expect(await failure(secret('going'), last)).toMatchObject({
      code: 'SECRET_DELETED',
      hint: 'Restore it with RestoreSecret.',
    });
    expect(await failure(secret('going'))).toMatchObject({ code: 'SECRET_DELETED' });
  });

  it('where DescribeSecret is refused for another one is polled as before, with previous', async () => {
    const { moto, open, proxy } = aws();
    await moto.putSecret('described/yes', '1');
    await moto.putSecret('described/no', '1');
    const { fetch } = open();
    const [yes, no] = [secret('described/yes', { previous: true }), secret('described/no')];
    const lasts = [held(await fetch(yes)), held(await fetch(no))];
    proxy.fault(({ operation, body }) =>
      operation === 'DescribeSecret' && body.includes('described/no') ? awsError('AccessDeniedException') : undefined,
    );
    for (let turn = 0; turn < 2; turn++) {
      expect(await fetch(no, lasts[1])).toMatchObject({ state: 'unchanged' });
      expect(await fetch(yes, lasts[0])).toMatchObject({ state: 'unchanged' });
    }
    expect(proxy.calls.filter(({ body }) => body.includes('described/no')).map(({ operation }) => operation)).toEqual([
      'GetSecretValue',
      'DescribeSecret',
      'GetSecretValue',
      'GetSecretValue',
    ]);
  });

  it('where DescribeSecret is not allowed is read at each poll, and unchanged all the same', async () => {
    const { moto, open, proxy } = aws();
    await moto.putSecret('undescribed', '{"a":"1"}');
    const { fetch, value, failure } = open();
    const last = await value(secret('undescribed'));
    proxy.fault(({ operation }) => (operation === 'DescribeSecret' ? awsError('AccessDeniedException') : undefined));
    for (let poll = 0; poll < 2; poll++)
      expect(await fetch(secret('undescribed'), last)).toMatchObject({ state: 'unchanged' });
    expect(proxy.count('DescribeSecret')).toBe(1);
    const staged = await failure(secret('undescribed', { previous: true }));
    expect(staged).toMatchObject({ code: 'SECRET_DENIED', hint: expect.stringContaining('DescribeSecret') });
  });
});

describe('many secrets', () => {
  const names = (count: number, folder: string) => Array.from({ length: count }, (_, i) => `${folder}/${i}`);

  it('of a start cost a batch call for each 20: 500 secrets, 25 calls; unchanged ones a DescribeSecret each and no value', async () => {
    const { moto, open, proxy } = aws();
    const all = names(500, 'start');
    await moto.createSecrets(Object.fromEntries(all.map((name) => [name, JSON.stringify({ name })])));
    const { fetch, value } = open();
    const values = await Promise.all(all.map((name) => value(secret(name))));
    expect(values.map(({ fields }) => plain(fields))).toEqual(all.map((name) => ({ name })));
    expect(proxy.count('BatchGetSecretValue')).toBeLessThanOrEqual(25);
    expect(proxy.calls.length).toBe(proxy.count('BatchGetSecretValue'));
    proxy.clear();
    const polls = await Promise.all(all.map((name, i) => fetch(secret(name), values[i])));
    expect(new Set(polls.map(({ state }) => state))).toEqual(new Set(['unchanged']));
    expect(proxy.count('DescribeSecret')).toBeLessThanOrEqual(500);
    expect(proxy.calls.length).toBe(proxy.count('DescribeSecret'));
  }, 120_000);

  it('fail one by one', async () => {
    const { moto, open, proxy } = aws();
    await moto.putSecret('each/good', '{"a":"1"}');
    await moto.putSecret('each/deleted', '{"a":"1"}');
    await moto.api('secretsmanager', 'DeleteSecret', { SecretId: 'each/deleted' });
    const { shown, failure } = open();
    const [good, missing, deleted] = await Promise.all([
      shown(secret('each/good')),
      failure(secret('each/missing')),
      failure(secret('each/deleted')),
    ]);
    expect(good).toEqual({ a: '1' });
    expect(missing.code).toBe('SECRET_NOT_FOUND');
    expect(deleted.code).toBe('SECRET_DELETED');
    expect(proxy.calls.map(({ operation }) => operation)).toEqual(['BatchGetSecretValue']);
  });

  it.each(['AccessDeniedException', 'ValidationException'])(
    'are read one by one where the batch is refused (%s)',
    async (type) => {
      const { moto, open, proxy } = aws();
      for (const name of names(3, 'single')) await moto.putSecret(name, JSON.stringify({ name }));
      proxy.fault(({ operation }) => (operation === 'BatchGetSecretValue' ? awsError(type) : undefined));
      const { shown } = open();
      const read = () => Promise.all(names(3, 'single').map((name) => shown(secret(name))));
      expect(await read()).toEqual(names(3, 'single').map((name) => ({ name })));
      expect(proxy.count('GetSecretValue')).toBe(3);
      await read();
      expect(proxy.count('BatchGetSecretValue')).toBe(type === 'AccessDeniedException' ? 1 : 2);
    },
  );

  it('are cancelled one by one, and the call with the last of them', async () => {
    const { moto, open, proxy } = aws();
    for (const name of names(3, 'cancel')) await moto.putSecret(name, JSON.stringify({ name }));
    const { fetch } = open();
    proxy.fault(() => 'hang');
    const stops = names(3, 'cancel').map(() => new AbortController());
    const running = names(3, 'cancel').map((name, i) =>
      fetch(secret(name), undefined, stops[i]?.signal).catch(
        (error: { failure: { code: string } }) => error.failure.code,
      ),
    );
    await expect.poll(() => proxy.calls.length).toBe(1);
    for (const stop of stops) stop.abort();
    expect(await Promise.all(running)).toEqual(['CANCELLED', 'CANCELLED', 'CANCELLED']);
  });
});
