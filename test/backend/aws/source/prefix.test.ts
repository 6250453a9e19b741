import { describe, expect, it } from 'vitest';
import type { SecretRequest } from '../../../../src/config/config.ts';
import { awsError } from '../../../faults/aws-proxy.ts';
import { expectNoLeaks } from '../../../faults/leaks.ts';
import type { Moto } from '../../../servers/index.ts';
import { held, plain } from '../../vault/source/vault.helpers.ts';
import { useAws } from './aws.helpers.ts';

expectNoLeaks();
const aws = useAws();

const prefix = (text: string, more: object = {}): SecretRequest => ({ kind: 'aws-prefix', prefix: text, ...more });
const remove = (moto: Moto, SecretId: string) => moto.api('secretsmanager', 'DeleteSecret', { SecretId });

async function putAll(moto: Moto, secrets: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(secrets)) await moto.putSecret(name, text);
}

describe('a prefix', () => {
  it('gives a field for each secret, named by what follows it, with the fields of that secret', async () => {
    const { moto, open } = aws();
    await putAll(moto, {
      'one/db': '{"user":"me"}',
      'one/api/key': 'k',
      'one/+=.@-': '[1]',
      'other/x': 'x',
      'one/': 'self',
    });
    expect(await open().shown(prefix('one/'))).toEqual({
      db: { user: 'me' },
      'api/key': { value: 'k' },
      '+=.@-': { value: '[1]' },
    });
  });

  it('takes only secrets that have all tags', async () => {
    const { moto, open } = aws();
    const make = (Name: string, tags: Readonly<Record<string, string>>) =>
      moto.api('secretsmanager', 'CreateSecret', {
        Name,
        SecretString: Name,
        Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
      });
    await make('tagged/a', { team: 'shop', env: 'prod' });
    await make('tagged/b', { team: 'shop', env: 'test' });
    await make('tagged/c', { env: 'prod', old: 'shop' });
    const { shown } = open();
    expect(await shown(prefix('tagged/', { tags: { team: 'shop' } }))).toMatchObject({ a: {}, b: {} });
    expect(await shown(prefix('tagged/', { tags: { team: 'shop', env: 'prod' } }))).toEqual({
      a: { value: 'tagged/a' },
    });
    expect(await shown(prefix('', { tags: { team: 'shop', env: 'test' } }))).toEqual({
      'tagged/b': { value: 'tagged/b' },
    });
  });

  it('new ones appear, deleted ones go, changed ones change, and only their values are read', async () => {
    const { moto, open, proxy } = aws();
    await putAll(moto, { 'moving/a': '1', 'moving/b': '1', 'moving/c': '1' });
    const { fetch } = open();
    const first = held(await fetch(prefix('moving/')));
    proxy.clear();
    expect(await fetch(prefix('moving/'), first)).toMatchObject({ state: 'unchanged' });
    expect(proxy.calls.map(({ operation }) => operation)).toEqual(['ListSecrets']);
    await putAll(moto, { 'moving/b': '2', 'moving/d': '1' });
    await remove(moto, 'moving/c');
    proxy.clear();
    const second = held(await fetch(prefix('moving/'), first));
    expect(plain(second.fields)).toEqual({ a: { value: '1' }, b: { value: '2' }, d: { value: '1' } });
    expect(second.version).not.toBe(first.version);
    const batch = proxy.calls.find(({ operation }) => operation === 'BatchGetSecretValue')?.body ?? '';
    expect(
      (JSON.parse(batch) as { SecretIdList: string[] }).SecretIdList.map((arn) => arn.slice(0, -7)).sort(),
    ).toEqual([expect.stringMatching(/moving\/b$/), expect.stringMatching(/moving\/d$/)]);
  });

  it('of 2,000 secrets is 20 pages and 100 batch calls, and a poll of unchanged ones the pages alone', async () => {
    const { moto, open, proxy } = aws();
    const names = Array.from({ length: 2_000 }, (_, i) => `many/${i}`);
    await moto.createSecrets(Object.fromEntries(names.map((name) => [name, name])));
    const { fetch } = open();
    const all = held(await fetch(prefix('many/')));
    expect(all.fields.size).toBe(2_000);
    expect(plain(all.fields.get('1234') ?? new Map())).toEqual({ value: 'many/1234' });
    expect(proxy.count('ListSecrets')).toBe(20);
    expect(proxy.count('BatchGetSecretValue')).toBe(100);
    expect(proxy.calls.length).toBe(120);
    proxy.clear();
    expect(await fetch(prefix('many/'), all)).toMatchObject({ state: 'unchanged' });
    expect(proxy.calls.length).toBe(20);
    expect(proxy.count('ListSecrets')).toBe(20);
  }, 180_000);

  it('keeps the value of one that may no longer be read, leaves a new one out, and warns of both', async () => {
    const { moto, open, proxy } = aws();
    await putAll(moto, { 'partly/a': '1', 'partly/b': '1' });
    const { fetch, facts } = open();
    const first = held(await fetch(prefix('partly/')));
    await putAll(moto, { 'partly/a': '2', 'partly/b': '2', 'partly/c': '2' });
    proxy.fault(({ operation, body }) => {
      if (operation === 'BatchGetSecretValue') return awsError('AccessDeniedException');
      return operation === 'GetSecretValue' && !body.includes('partly/a')
        ? awsError('AccessDeniedException')
        : undefined;
    });
    const second = held(await fetch(prefix('partly/'), first));
    expect(plain(second.fields)).toEqual({ a: { value: '2' }, b: { value: '1' } });
    const warnings = facts.flatMap((fact) => (fact.kind === 'agent-warning' ? [fact.warning] : []));
    expect(warnings.map(({ code, seen }) => `${code} ${seen}`).sort()).toEqual([
      expect.stringMatching(/^SECRET_DENIED b is kept as it was: AccessDeniedException/),
      expect.stringMatching(/^SECRET_DENIED c is left out: AccessDeniedException/),
    ]);
    proxy.fault(undefined);
    expect(plain(held(await fetch(prefix('partly/'), second)).fields)).toEqual({
      a: { value: '2' },
      b: { value: '2' },
      c: { value: '2' },
    });
  });

  it('fails as a whole when AWS is in trouble', async () => {
    const { moto, open, proxy } = aws();
    await putAll(moto, { 'whole/a': '1', 'whole/b': '1' });
    proxy.fault(({ operation }) => (operation === 'BatchGetSecretValue' ? awsError('ThrottlingException') : undefined));
    expect(await open().failure(prefix('whole/'))).toMatchObject({ code: 'BACKEND_THROTTLED' });
    proxy.fault(({ operation }) => (operation === 'ListSecrets' ? awsError('AccessDeniedException') : undefined));
    expect(await open().failure(prefix('whole/'))).toMatchObject({ code: 'SECRET_DENIED' });
  });

  it('without secrets is not found, and does not become an empty map when it had some', async () => {
    const { moto, open, proxy } = aws();
    expect(await open().failure(prefix('nothing/'))).toMatchObject({ code: 'SECRET_NOT_FOUND' });
    await putAll(moto, { 'emptied/a': '1' });
    const { fetch, failure } = open();
    const first = held(await fetch(prefix('emptied/')));
    await remove(moto, 'emptied/a');
    expect(await failure(prefix('emptied/'), first)).toMatchObject({ code: 'SECRET_NOT_FOUND' });
    proxy.fault(() => ({ status: 200, body: '{}' }));
    expect(await failure(prefix('emptied/'), first)).toMatchObject({
      code: 'BACKEND_MALFORMED',
      seen: expect.stringContaining('no SecretList'),
    });
  });

  it('fails for one bad entry of a batch alone, and has the others', async () => {
    const { moto, open, proxy } = aws();
    await putAll(moto, { 'odd/a': '1', 'odd/b': '1' });
    const { fetch, facts } = open();
    const first = held(await fetch(prefix('odd/')));
    await putAll(moto, { 'odd/a': '2', 'odd/b': '2' });
    const { ARN } = (await moto.api('secretsmanager', 'DescribeSecret', { SecretId: 'odd/b' })) as { ARN: string };
    const value = { ...((await moto.api('secretsmanager', 'GetSecretValue', { SecretId: 'odd/a' })) as object) };
    const Errors = [{ SecretId: ARN, ErrorCode: 'InvalidRequestException', Message: 'odd' }];
    proxy.fault(({ operation }) =>
      operation === 'BatchGetSecretValue'
        ? { status: 200, body: JSON.stringify({ SecretValues: [value], Errors }) }
        : undefined,
    );
    const second = held(await fetch(prefix('odd/'), first));
    expect(plain(second.fields)).toEqual({ a: { value: '2' }, b: { value: '1' } });
    const warnings = facts.flatMap((fact) => (fact.kind === 'agent-warning' ? [fact.warning] : []));
    expect(warnings).toMatchObject([
      { code: 'BACKEND_REJECTED', seen: expect.stringMatching(/^b is kept as it was: InvalidRequestException/) },
    ]);
  });

  it('ends when the listing goes in a circle', async () => {
    const { open, proxy } = aws();
    proxy.fault(() => ({ status: 200, body: '{"SecretList":[],"NextToken":"again"}' }));
    expect(await open().failure(prefix('circle/'))).toMatchObject({ code: 'BACKEND_MALFORMED' });
    expect(proxy.calls.length).toBe(2);
  });

  it('is read in one region from the first call to the last', async () => {
    const { moto, open, proxy } = aws();
    const regions = { region: 'eu-west-1', failoverRegions: ['eu-central-1'] };
    await putAll(moto, { 'regional/a': 'west' });
    proxy.fault(({ region, operation }) =>
      region === 'eu-west-1' && operation !== 'ListSecrets' ? awsError('InternalServiceError', 500) : undefined,
    );
    // Nothing is replicated, so the other region has none of the secrets, which says nothing about them.
    expect(await open(regions).failure(prefix('regional/'))).toMatchObject({
      code: 'BACKEND_UNAVAILABLE',
      seen: expect.stringContaining('eu-west-1'),
    });
    await moto.putSecret('regional/a', 'central', 'eu-central-1');
    proxy.clear();
    expect(await open(regions).shown(prefix('regional/'))).toEqual({ a: { value: 'central' } });
    const asked = proxy.calls.map(({ region, operation }) => `${operation} ${region}`);
    expect(asked).toEqual([
      'ListSecrets eu-west-1',
      'GetSecretValue eu-west-1',
      'ListSecrets eu-central-1',
      'GetSecretValue eu-central-1',
    ]);
    expect(proxy.calls[3]?.body).toContain(':eu-central-1:');
  });

  it('keeps its value when the region of failover lacks some of it', async () => {
    const { moto, open, proxy } = aws();
    await putAll(moto, { 'halved/a': '1', 'halved/b': '1' });
    await moto.putSecret('halved/a', '1', 'eu-central-1');
    const { fetch, failure } = open({ region: 'eu-west-1', failoverRegions: ['eu-central-1'] });
    const first = held(await fetch(prefix('halved/')));
    proxy.fault(({ region }) => (region === 'eu-west-1' ? 'reset' : undefined));
    expect(await failure(prefix('halved/'), first)).toMatchObject({ code: 'BACKEND_UNREACHABLE' });
  });
});
