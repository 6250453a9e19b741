import { describe, expect, it } from 'vitest';
import { readParameterQuery, readSecretQuery } from '../../../src/deliver/aws/query.ts';

const ROLE = 'arn:aws-cn:iam::123456789012:role/path/a+b';

describe('a request of a client of the AWS agent', () => {
  it.each<[string, string | undefined, object]>([
    ['secretId=a%2Fb&refreshNow=1', undefined, { secretId: 'a/b', refreshNow: true }],
    ['secretId=a&secretId=b&refreshNow=true&refreshNow=False', undefined, { secretId: 'b', refreshNow: false }],
    ['', 'a/b', { secretId: 'a/b', refreshNow: false }],
    ['versionId=&versionStage=X', 'a', { secretId: 'a', refreshNow: false, versionId: '', versionStage: 'X' }],
    [`secretId=a&roleArn=${encodeURIComponent(ROLE)}`, undefined, { secretId: 'a', refreshNow: false, roleArn: ROLE }],
    ['&&secretId=%zz%ff&', undefined, { secretId: '%zz\ufffd', refreshNow: false }],
  ])('%s with %s in the path is read', (query, id, wanted) => {
    expect(readSecretQuery(query, id)).toEqual(wanted);
  });

  it.each<[string, string | undefined, string]>([
    ['', undefined, 'missing parameter secretId'],
    ['secretId=a&secretId=', undefined, 'missing parameter secretId'],
    ['abc=1', '', 'missing secret ID'],
    ['secretId=a', 'a', 'unknown parameter: secretId'],
    ['secretid=a', undefined, 'unknown parameter: secretid'],
    ['refreshNow=x&abc=1', 'a', 'invalid refreshNow value'],
    ['abc=1&refreshNow=x', 'a', 'unknown parameter: abc'],
    ['refreshNow', 'a', 'invalid refreshNow value'],
    ['__proto__=1', 'a', 'unknown parameter: __proto__'],
    [
      'roleArn=arn:aws:iam::1:role/x',
      'a',
      'invalid roleArn format, expected arn:<partition>:iam::<account>:role/<name>',
    ],
  ])('%s with %s in the path is refused', (query, id, wanted) => {
    expect(() => readSecretQuery(query, id)).toThrow(wanted);
  });

  it.each<[string, object]>([
    ['name=%2Fa%2Fb', { name: '/a/b', withDecryption: false }],
    ['name=a&version=3&withDecryption=true', { name: 'a:3', withDecryption: true }],
    ['name=a&label=prod&version=', { name: 'a:prod', withDecryption: false }],
  ])('a parameter is asked for by %s', (query, wanted) => {
    expect(readParameterQuery(query)).toEqual(wanted);
  });

  it.each([
    ['', 'missing parameter name'],
    ['name=a&version=1&label=b', 'version and label exclude each other'],
    ['name=a&secretId=b', 'unknown parameter: secretId'],
    ['name=a&withDecryption=yes', 'invalid withDecryption value'],
  ])('a parameter is not asked for by %s', (query, wanted) => {
    expect(() => readParameterQuery(query)).toThrow(wanted);
  });
});
