import { describe, expect, it } from 'vitest';
import type { SecretRequest } from '../../../../src/config/config.ts';
import { awsError } from '../../../faults/aws-proxy.ts';
import { expectNoLeaks } from '../../../faults/leaks.ts';
import { held } from '../../vault/source/vault.helpers.ts';
import { useAws } from './aws.helpers.ts';

expectNoLeaks();
const aws = useAws();

const parameter = (name: string): SecretRequest => ({ kind: 'aws-parameter', name });
const below = (path: string): SecretRequest => ({ kind: 'aws-parameters', path });

describe('a parameter', () => {
  it.each([
    ['text', 'String', 'https://shop', { value: 'https://shop' }],
    ['a decrypted text', 'SecureString', 'hunter2', { value: 'hunter2' }],
    ['a list', 'StringList', 'a,b', { value: 'a,b' }],
    ['a JSON object', 'SecureString', '{"user":"me","big":9007199254740993}', { user: 'me', big: '9007199254740993' }],
  ])('that is %s gives its fields, or the one field value', async (_, type, text, fields) => {
    const { moto, open } = aws();
    await moto.putParameter('/kinds/one', text, type).catch(async () => {
      await moto.api('ssm', 'DeleteParameter', { Name: '/kinds/one' });
      await moto.putParameter('/kinds/one', text, type);
    });
    expect(await open().shown(parameter('/kinds/one'))).toEqual(fields);
    await moto.api('ssm', 'DeleteParameter', { Name: '/kinds/one' });
  });

  it('is unchanged until it is written, also with a version', async () => {
    const { moto, open } = aws();
    await moto.putParameter('polled', '1');
    const { fetch, shown } = open();
    const last = held(await fetch(parameter('polled')));
    expect(await fetch(parameter('polled'), last)).toMatchObject({ state: 'unchanged' });
    await moto.putParameter('polled', '2');
    expect(await fetch(parameter('polled'), last)).toMatchObject({ state: 'changed' });
    expect(await shown(parameter('polled:1'))).toEqual({ value: '1' });
  });

  it('asked for together are read ten at a time, and fail each for itself', async () => {
    const { moto, open, proxy } = aws();
    const names = Array.from({ length: 25 }, (_, i) => `/together/${i}`);
    for (const name of names) await moto.putParameter(name, name);
    const { shown, failure } = open();
    const [missing, ...values] = await Promise.all([
      failure(parameter('/together/none')),
      ...names.map((name) => shown(parameter(name))),
    ]);
    expect(values).toEqual(names.map((name) => ({ value: name })));
    expect(missing.code).toBe('SECRET_NOT_FOUND');
    expect(proxy.count('GetParameters')).toBe(3);
    expect(proxy.count('GetParameter')).toBe(1); // the missing one, for its own words
    proxy.fault(({ operation }) => (operation === 'GetParameters' ? awsError('AccessDeniedException') : undefined));
    expect(await Promise.all(names.slice(0, 3).map((name) => shown(parameter(name))))).toHaveLength(3);
    expect(proxy.count('GetParameter')).toBe(4);
  });
});

it('a parameter and one version of it, asked for together, are each its own', async () => {
  const { moto, open, proxy } = aws();
  await moto.putParameter('flat', '1');
  await moto.putParameter('flat', '2');
  const { shown } = open();
  expect(await Promise.all([shown(parameter('flat')), shown(parameter('flat:1'))])).toEqual([
    { value: '2' },
    { value: '1' },
  ]);
  for (const { body } of proxy.calls.filter(({ operation }) => operation === 'GetParameters')) {
    expect((JSON.parse(body) as { Names: string[] }).Names).toHaveLength(1);
  }
});

describe('a path of parameters', () => {
  it('gives a field for each below it, at any depth, named by what follows the path', async () => {
    const { moto, open, proxy } = aws();
    const all = Array.from({ length: 23 }, (_, i) => `n${String(i).padStart(2, '0')}`);
    for (const name of all) await moto.putParameter(`/shop/${name}`, name, 'SecureString');
    await moto.putParameter('/shop/db/password', 'hunter2', 'SecureString');
    await moto.putParameter('/shopping', 'no');
    const { fetch, shown } = open();
    expect(await shown(below('/shop/'))).toEqual({
      ...Object.fromEntries(all.map((name) => [name, name])),
      'db/password': 'hunter2',
    });
    expect(proxy.count('GetParametersByPath')).toBe(3);
    const last = held(await fetch(below('/shop/')));
    expect(await fetch(below('/shop/'), last)).toMatchObject({ state: 'unchanged' });
    await moto.api('ssm', 'DeleteParameter', { Name: '/shop/n00' });
    await moto.putParameter('/shop/new', 'n');
    const next = held(await fetch(below('/shop/'), last));
    expect(next.fields.has('n00')).toBe(false);
    expect(next.fields.has('new')).toBe(true);
  });

  it('has another version with each other set of names and versions', async () => {
    const { moto, open } = aws();
    await moto.putParameter('/sum/a', '1');
    await moto.putParameter('/sum/b', '1');
    const { fetch } = open();
    const first = held(await fetch(below('/sum/')));
    await moto.api('ssm', 'DeleteParameter', { Name: '/sum/b' });
    await moto.putParameter('/sum/c', '1');
    expect(held(await fetch(below('/sum/'), first)).version).not.toBe(first.version);
  });

  it('with nothing below it is not found', async () => {
    expect(await aws().open().failure(below('/nothing/'))).toMatchObject({ code: 'SECRET_NOT_FOUND' });
  });
});
