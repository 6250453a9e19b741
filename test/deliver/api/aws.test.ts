import { describe, expect, it } from 'vitest';
import type { AwsSecretRequest } from '../../../src/backend/aws/config/request.ts';
import type { Code } from '../../../src/base/codes.ts';
import { Secret } from '../../../src/base/secret.ts';
import type { Value } from '../../../src/base/value.ts';
import { findAwsSecrets } from '../../../src/deliver/api/aws-names.ts';
import { answerOf, apiWorld, text } from './api.helpers.ts';

const ARN = 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/stripe-AbCdEf';

const CANNOT_FIND = "Secrets Manager can't find the specified secret.";

type Answer = Record<string, unknown>;

/** An API whose secret `stripe` is one of Secrets Manager, with values as the AWS backend gives them. */
async function awsWorld(request: Partial<AwsSecretRequest> = {}) {
  const world = await apiWorld(['stripe', 'app']);
  const { secrets } = world;
  const stripe = secrets.get('stripe');
  if (stripe === undefined) throw new Error('no stripe');
  secrets.set('stripe', { ...stripe, request: { kind: 'aws-secret', secretId: 'prod/stripe', ...request } });
  world.backend.answers.set('stripe', answerOf({ key: text('k'), n: Secret.number('1.10') }, 'v-1 AbCdEf'));
  world.backend.set('app', { password: '1' });
  await world.start();
  await world.use({});
  const ask = async (url: string) => {
    const { status, body } = await world.get(url);
    return [status, status === 200 ? (JSON.parse(body) as Answer) : (JSON.parse(body) as Answer)['code']] as const;
  };
  return { ...world, ask };
}

describe('for clients of the AWS agent', () => {
  it('a secret is answered as GetSecretValue does, by name, ARN, partial ARN, path and configured name', async () => {
    const { ask, clock } = await awsWorld();
    const wanted = {
      Name: 'prod/stripe',
      VersionId: 'v-1',
      SecretString: '{"key":"k","n":1.10}',
      VersionStages: ['AWSCURRENT'],
      CreatedDate: String(clock.wallMs() / 1000),
    };
    const none = 'arn:pannier:secretsmanager:::secret:prod/stripe';
    for (const [url, arn] of [
      ['/secretsmanager/get?secretId=prod/stripe', none],
      ['/secretsmanager/get?secretId=prod%2Fstripe&versionStage=AWSCURRENT&versionId=v-1', none],
      [`/secretsmanager/get?secretId=${ARN}`, ARN],
      [`/secretsmanager/get?secretId=${ARN.slice(0, -7)}`, ARN.slice(0, -7)],
      ['/v1/prod/stripe?versionId=v-1', none],
      [`/v1/${ARN}`, ARN],
    ] as const) {
      expect([url, ...(await ask(url))]).toEqual([url, 200, { ARN: arn, ...wanted }]);
    }
    const [status, own] = await ask('/secretsmanager/get?secretId=stripe');
    expect([status, own]).toMatchObject([200, { Name: 'stripe', VersionId: 'v-1 AbCdEf'.slice(0, 3) }]);
  });

  it('an ARN with another account or region than that of the value is not found', async () => {
    const { ask, backend, manager } = await awsWorld();
    backend.answers.set('stripe', async () => ({
      fields: new Map([['key', text('k2')]]),
      version: 'v-2 AbCdEf',
      life: { kind: 'none' },
      original: { id: ARN, labels: ['AWSCURRENT'] },
    }));
    await manager.refresh('stripe');
    const url = '/secretsmanager/get?secretId=';
    expect((await ask(url + ARN))[0]).toBe(200);
    expect((await ask(url + ARN.replace('eu-west-1', 'us-east-1')))[0]).toBe(400);
    expect((await ask(url + ARN.replace('123456789012', '210987654321')))[0]).toBe(400);
  });

  it('any secret of any backend is found by its name, with bytes as SecretBinary and a lone text as it is', async () => {
    const { ask, backend, manager } = await awsWorld();
    expect(await ask('/v1/app')).toMatchObject([
      200,
      { Name: 'app', SecretString: '{"password":"1"}', VersionStages: ['AWSCURRENT'] },
    ]);
    const cases: [Record<string, Value>, object][] = [
      [{ value: text('plain "text"') }, { SecretString: 'plain "text"' }],
      [{ value: Secret.bytes(Uint8Array.of(0xff)) }, { SecretBinary: '/w==' }],
      [{ value: text('x'), other: text('y') }, { SecretString: '{"value":"x","other":"y"}' }],
    ];
    for (const [fields, wanted] of cases) {
      backend.answers.set('app', answerOf(fields));
      await manager.refresh('app');
      expect(await ask('/v1/app')).toMatchObject([200, wanted]);
    }
  });

  it('refreshNow fetches first, and reports a failure', async () => {
    const { ask, backend, clock } = await awsWorld();
    backend.set('app', { password: '2' });
    expect(await ask('/v1/app?refreshNow=false')).toMatchObject([200, { SecretString: '{"password":"1"}' }]);
    expect(await ask('/v1/app?refreshNow=TRUE')).toMatchObject([200, { SecretString: '{"password":"2"}' }]);
    await clock.advance(2_000);
    backend.answers.set('app', 'SECRET_DENIED');
    expect(await ask('/v1/app?refreshNow=1')).toEqual([400, 'SECRET_DENIED']);
    expect(await ask('/v1/app')).toMatchObject([200, { SecretString: '{"password":"2"}' }]);
  });

  it('a refreshNow that takes too long is not answered with the earlier value', async () => {
    const { ask, backend, clock } = await awsWorld();
    backend.latencyMs = 60_000;
    const before = backend.fetchesOf('app');
    const slow = ask('/v1/app?refreshNow=true');
    while (backend.fetchesOf('app') === before) await new Promise((resolve) => setTimeout(resolve, 1));
    await clock.advance(30_001);
    expect(await slow).toEqual([504, 'API_SLOW']);
  });

  it.each([
    ['/secretsmanager/get', 400],
    ['/secretsmanager/get?secretId=', 400],
    ['/secretsmanager/get?secretId=app&roleArn=arn:aws:iam::123456789012:role/x', 400],
    ['/secretsmanager/get?secretId=app&x=1', 400],
    ['/secretsmanager/get?secretId=app&refreshNow=yes', 400],
    ['/v1/app?secretId=app', 400],
    ['/secretsmanager/get?secretId=nope', 400],
    ['/secretsmanager/get?secretId=prod/stripe&versionId=v-2', 400],
    ['/secretsmanager/get?secretId=prod/stripe&versionStage=AWSPREVIOUS', 400],
    ['/secretsmanager/get?secretId=app&versionStage=AWSPENDING', 400],
    ['/secretsmanager/get?secretId=stripe&versionStage=AWSPREVIOUS', 400],
    ['/v1/prod/other', 400],
  ])('%s gives %i', async (url, status) => {
    const { ask } = await awsWorld();
    expect((await ask(url))[0]).toBe(status);
  });

  it.each<[string, string, number, object]>([
    ['one that is not configured', 'nope', 400, { __type: 'ResourceNotFoundException', message: CANNOT_FIND }],
    ['an unknown stage', 'prod/stripe&versionStage=X', 400, { __type: 'ResourceNotFoundException' }],
    ['a query that is no good', 'app&x=1', 400, { __type: 'InvalidParameterException', code: 'API_MALFORMED' }],
  ])('an error is reported as the AWS agent does: %s', async (_title, id, status, wanted) => {
    const { get } = await awsWorld();
    const got = await get(`/secretsmanager/get?secretId=${id}`);
    expect([got.status, got.headers['content-type']]).toEqual([status, 'application/json']);
    expect(JSON.parse(got.body)).toMatchObject(wanted);
  });

  it.each<[Code, number, string]>([
    ['SECRET_NOT_FOUND', 400, 'ResourceNotFoundException'],
    ['SECRET_DELETED', 400, 'InvalidRequestException'],
    ['SECRET_DENIED', 400, 'AccessDeniedException'],
    ['SECRET_UNDECRYPTABLE', 400, 'DecryptionFailure'],
    ['BACKEND_THROTTLED', 400, 'ThrottlingException'],
    ['BACKEND_TIMEOUT', 504, 'TimeoutError'],
    ['BACKEND_UNREACHABLE', 502, 'ConnectionError'],
    ['AUTH_SERVICE_DOWN', 502, 'ConnectionError'],
    ['BACKEND_UNAVAILABLE', 500, 'InternalServiceError'],
  ])('a refreshNow that ends in %s is %i %s', async (code, status, type) => {
    const { get, backend, clock } = await awsWorld();
    await clock.advance(2_000);
    backend.answers.set('stripe', code);
    const got = await get('/secretsmanager/get?secretId=prod/stripe&refreshNow=true');
    expect([got.status, JSON.parse(got.body)]).toMatchObject([status, { __type: type, code }]);
  });

  it('a secret without a value yet is a TimeoutError that says when to ask again', async () => {
    const { backend, start, get } = await apiWorld(['late']);
    backend.latencyMs = 10;
    backend.answers.set('late', 'BACKEND_UNREACHABLE');
    await start();
    const got = await get('/secretsmanager/get?secretId=late');
    expect([got.status, JSON.parse(got.body)]).toMatchObject([504, { __type: 'TimeoutError' }]);
    expect(Number(got.headers['retry-after'])).toBeGreaterThan(0);
  });

  it.each(['POST', 'PUT', 'DELETE', 'HEAD', 'PATCH', 'OPTIONS'])('%s is answered 405 on every path', async (method) => {
    const { get } = await awsWorld();
    for (const url of ['/secretsmanager/get?secretId=app', '/ping', '/v1/prod/stripe', '/v1/a/b/c/d']) {
      expect([url, (await get(url, {}, method)).status]).toEqual([url, 405]);
    }
  });

  it('a previous version that the secret holds is found by its stage and by its id', async () => {
    const { ask, backend, manager } = await awsWorld({ previous: true });
    const previous = new Map([['key', text('old')]]);
    backend.answers.set('stripe', answerOf({ key: text('new'), previous }, 'v-2 AbCdEf previous=v-1'));
    await manager.refresh('stripe');
    const url = '/secretsmanager/get?secretId=prod/stripe';
    expect(await ask(url)).toMatchObject([200, { VersionId: 'v-2', SecretString: '{"key":"new"}' }]);
    const old = { VersionId: 'v-1', SecretString: '{"key":"old"}', VersionStages: ['AWSPREVIOUS'] };
    expect(await ask(`${url}&versionStage=AWSPREVIOUS`)).toMatchObject([200, old]);
    expect(await ask(`${url}&versionId=v-1`)).toMatchObject([200, old]);
  });

  it('paths of the local API are not taken for names', async () => {
    const { get } = await awsWorld();
    expect((await get('/v1/stop')).status).toBe(405);
    expect((await get('/v1/secrets')).body).toContain('"secrets"');
  });
});

describe('the names of Secrets Manager', () => {
  const secretOf = (secretId: string, stage?: string) => ({
    name: 's',
    backend: 'aws',
    place: 'secrets.s.secretId',
    optional: false,
    refreshMs: 1,
    request: { kind: 'aws-secret', secretId, ...(stage === undefined ? {} : { stage }) } as const,
  });
  const PARTIAL = ARN.slice(0, -7);
  it.each<[string, string, boolean]>([
    ['prod/stripe', 'prod/stripe', true],
    ['prod/stripe', ARN, true],
    [ARN, 'prod/stripe', true],
    [ARN, PARTIAL, true],
    [PARTIAL, ARN, true],
    [ARN, ARN, true],
    [ARN, ARN.replace('eu-west-1', 'eu-west-2'), false],
    [ARN, ARN.replace('AbCdEf', 'GhIjKl'), false],
    ['prod/stripe', 'prod/stripe-AbCdEf', false],
    ['prod/stripe', 'prod', false],
    ['prod/stripe', 'PROD/stripe', false],
  ])('%s asked as %s: %s', (configured, asked, isFound) => {
    expect(findAwsSecrets({ secretId: asked, refreshNow: false }, [secretOf(configured)]).length === 1).toBe(isFound);
  });

  it('an ARN with another account or region than that of the value names another secret', () => {
    const found = (asked: string) =>
      findAwsSecrets({ secretId: asked, refreshNow: false }, [secretOf('prod/stripe')], () => ARN);
    for (const asked of [ARN, PARTIAL, 'prod/stripe']) expect(found(asked)).toHaveLength(1);
    for (const [one, other] of [
      ['eu-west-1', 'eu-west-2'],
      ['123456789012', '210987654321'],
    ] as const) {
      expect(found(ARN.replace(one, other))).toEqual([]);
      expect(found(PARTIAL.replace(one, other))).toEqual([]);
    }
  });

  it('a stage is found where it is configured, and AWSCURRENT where no stage is', () => {
    const both = [secretOf('a'), secretOf('a', 'AWSPENDING')];
    const stages = (stage?: string) =>
      findAwsSecrets({ secretId: 'a', refreshNow: false, ...(stage === undefined ? {} : { stage }) }, both).map(
        (one) => one.stage,
      );
    expect([stages(), stages('AWSPENDING'), stages('OWN')]).toEqual([['AWSCURRENT'], ['AWSPENDING'], []]);
  });
});
