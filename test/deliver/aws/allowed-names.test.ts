import { describe, expect, it } from 'vitest';
import { AllowedNames } from '../../../src/deliver/aws/allowed-names.ts';

const arnOf = (name: string, account = '1', region = 'eu-west-1') =>
  `arn:aws:secretsmanager:${region}:${account}:secret:${name}`;
const parameterArn = (name: string) => `arn:aws:ssm:eu-west-1:1:parameter${name}`;

describe('names that clients may read', () => {
  it.each<[string, string, boolean]>([
    ['prod/shop/*', 'prod/shop/db', true],
    ['prod/shop/*', 'prod/shop/a/b', true],
    ['prod/shop/*', 'prod/shop/', true],
    ['prod/shop/*', 'prod/shop', false],
    ['prod/shop/*', 'prod/shops/db', false],
    ['prod/shop/*', 'PROD/shop/db', false],
    ['prod/shop/*', 'x/prod/shop/db', false],
    ['prod/shop/*', arnOf('prod/shop/db-AbCdEf'), true],
    ['prod/shop/*', arnOf('prod/pay/db-AbCdEf'), false],
    ['prod/db', 'prod/db', true],
    ['prod/db', arnOf('prod/db'), true],
    ['prod/db', arnOf('prod/db-AbCdEf'), true],
    ['prod/db', 'prod/db-AbCdEf', false],
    ['prod/db', 'prod/db2', false],
    ['*', 'anything', true],
    ['*', arnOf('anything', '2'), true],
    ['*/db', 'a/b/db', true],
    ['a*b*c', 'a-b-b-c', true],
    ['a*b*c', 'a-c', false],
    ['ab*ba', 'aba', false],
    ['a.b', 'axb', false],
    ['(.*)', 'x', false],
    [arnOf('prod/*'), 'prod/db', true],
    [arnOf('prod/*'), 'test/db', false],
    [arnOf('prod/*'), arnOf('prod/db-AbCdEf'), true],
    [arnOf('prod/*'), arnOf('prod/db-AbCdEf', '2'), false],
    [arnOf('prod/db-AbCdEf'), 'prod/db', true],
    [arnOf('prod/db-AbCdEf'), arnOf('prod/db-AbCdEf'), true],
    [arnOf('prod/db-??????'), arnOf('prod/db-AbCdEf'), false],
    ['arn:aws:secretsmanager:*', 'any', true],
    ['', '', true],
  ])('%s lets a client ask for %s: %s', (pattern, id, isAllowed) => {
    expect(new AllowedNames([pattern]).maySecret(id)).toBe(isAllowed);
  });

  // An id such as `…:secret:prod/db-AbCdEf` may be a whole ARN, or one without its end: the answer decides.
  it.each<[string, string, string, boolean]>([
    ['prod/*', 'prod/db', arnOf('prod/db-AbCdEf'), true],
    ['prod/db', 'prod/db-AbCdEf', arnOf('prod/db-AbCdEf-GhIjKl'), false],
    [arnOf('prod/*'), 'prod/db', arnOf('prod/db-AbCdEf'), true],
    [arnOf('prod/*'), 'prod/db', arnOf('prod/db-AbCdEf', '2'), false],
    [arnOf('prod/*'), 'prod/db', arnOf('prod/db-AbCdEf', '1', 'us-east-1'), false],
    [arnOf('prod/db-AbCdEf'), 'prod/db', arnOf('prod/db-GhIjKl'), false],
    ['arn:aws:secretsmanager:*', 'any', arnOf('any-AbCdEf'), true],
  ])('%s shows %s with the ARN %s: %s', (pattern, name, arn, isShown) => {
    expect(new AllowedNames([pattern]).isSecret(name, arn)).toBe(isShown);
  });

  it.each<[string, string, boolean]>([
    ['/prod/*', '/prod/url', true],
    ['/prod/*', '/prod/url:3', true],
    ['/prod/*', '/test/url', false],
    ['/prod/*', parameterArn('/prod/url'), true],
    ['/prod/*', parameterArn('/prod/url:3'), true],
    ['/prod/*', parameterArn('/test/url'), false],
    ['url', parameterArn('/url'), true],
    ['url', 'url', true],
    [parameterArn('/prod/*'), '/prod/url', true],
    [parameterArn('/prod/*'), '/test/url', false],
  ])('%s lets a client ask for the parameter %s: %s', (pattern, id, isAllowed) => {
    expect(new AllowedNames([pattern]).mayParameter(id)).toBe(isAllowed);
  });

  it('a parameter that the service answers is looked at again', () => {
    const shown = (pattern: string, name: string, arn: string) => new AllowedNames([pattern]).isParameter(name, arn);
    expect(shown('/prod/*', '/prod/url', parameterArn('/prod/url'))).toBe(true);
    expect(shown('/prod/*', '/test/url', parameterArn('/test/url'))).toBe(false);
    expect(shown(parameterArn('/prod/*'), '/prod/url', parameterArn('/prod/url'))).toBe(true);
    expect(shown(parameterArn('/prod/*'), '/prod/url', parameterArn('/test/url'))).toBe(false);
  });

  it('without a pattern nothing may be read', () => {
    const none = new AllowedNames([]);
    expect([none.maySecret('a'), none.isSecret('a', 'b'), none.mayParameter('a')]).toEqual([false, false, false]);
  });

  it('a pattern with many stars and a long name take no more time than their lengths say', () => {
    const pattern = `${'*a'.repeat(250)}*b`;
    expect(new AllowedNames([pattern]).maySecret('a'.repeat(16_000))).toBe(false);
  });
});
