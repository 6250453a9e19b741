import { describe, expect, it } from 'vitest';
import type { SecretRequest } from '../../src/config/config.ts';
import { awsError } from '../faults/aws-proxy.ts';
import { expectNoLeaks } from '../faults/leaks.ts';
import type { Moto } from '../servers/index.ts';
import { useAws } from './aws-world.ts';
import { held, plain } from './vault-world.ts';

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
    expect(await open().shown(prefix('nothing/'))).toEqual({});
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
});
