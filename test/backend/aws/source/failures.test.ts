import { describe, expect, it } from 'vitest';
import type { SecretRequest } from '../../../../src/config/config.ts';
import { awsError, type Fault } from '../../../faults/aws-proxy.ts';
import { expectNoLeaks } from '../../../faults/leaks.ts';
import { findFreePort } from '../../../servers/index.ts';
import { held } from '../../vault/source/vault.helpers.ts';
import { secret, useAws } from './aws.helpers.ts';

expectNoLeaks();
const aws = useAws();

const CANARY = 'c4n4ry';

describe('what AWS refuses', () => {
  it.each<[string, string, Fault]>([
    ['BACKEND_REJECTED', 'InvalidParameterException', awsError('InvalidParameterException', 400, CANARY)],
    ['BACKEND_REJECTED', 'HTTP 400', awsError(CANARY, 400, CANARY)],
    ['SECRET_NOT_FOUND', 'ResourceNotFoundException', awsError('ResourceNotFoundException', 400, CANARY)],
    ['SECRET_DENIED', 'AccessDeniedException', awsError('AccessDeniedException', 400, CANARY)],
    [
      'SECRET_UNDECRYPTABLE',
      'AccessDeniedException',
      awsError('AccessDeniedException', 400, `${CANARY} Access to KMS is not allowed`),
    ],
    ['SECRET_UNDECRYPTABLE', 'DecryptionFailure', awsError('DecryptionFailure', 400, CANARY)],
    ['SECRET_UNDECRYPTABLE', 'KMSDisabledException', awsError('KMSDisabledException', 400, CANARY)],
    [
      'SECRET_DELETED',
      'scheduled for deletion',
      awsError(
        'InvalidRequestException',
        400,
        "You can't perform this operation on the secret because it was marked for deletion.",
      ),
    ],
    ['BACKEND_REJECTED', 'InvalidRequestException', awsError('InvalidRequestException', 400, CANARY)],
    ['BACKEND_THROTTLED', 'ThrottlingException', awsError('ThrottlingException', 400, CANARY)],
    ['BACKEND_THROTTLED', 'HTTP 429', awsError('Strange', 429, CANARY)],
    ['BACKEND_UNAVAILABLE', 'InternalServiceError', awsError('InternalServiceError', 500, CANARY)],
    ['BACKEND_UNAVAILABLE', 'HTTP 503', { status: 503, body: `<html>${CANARY}` }],
    ['AUTH_DENIED', 'UnrecognizedClientException', awsError('UnrecognizedClientException', 400, CANARY)],
    ['AUTH_DENIED', 'InvalidSignatureException', awsError('InvalidSignatureException', 400, CANARY)],
    ['AUTH_EXPIRED', 'ExpiredTokenException', awsError('ExpiredTokenException', 400, CANARY)],
    [
      'BACKEND_CLOCK',
      'InvalidSignatureException',
      awsError('InvalidSignatureException', 400, 'Signature expired: 20260101T000000Z is now earlier than'),
    ],
    ['BACKEND_MALFORMED', 'no usable answer', { status: 200, body: `{"SecretString": "${CANARY}` }],
    ['BACKEND_REDIRECT', 'HTTP 307', { status: 307, body: '', headers: { location: 'http://127.0.0.1:9/' } }],
    ['BACKEND_UNREACHABLE', 'connection closed', 'reset'],
  ])('is %s (%s)', async (code, words, fault) => {
    const { open, proxy } = aws();
    proxy.fault(() => fault);
    const failed = await open().failure(secret('any'));
    expect(failed).toMatchObject({ code, seen: expect.stringContaining(words) });
    expect(JSON.stringify(failed)).not.toContain(CANARY);
  });

  it.each([
    [secret('pinned', { stage: 'AWSPENDING' }), /^stage AWSPENDING: ResourceNotFoundException to /],
    [secret('pinned', { stage: 'MINE' }), /^stage MINE: ResourceNotFoundException to /],
    [
      secret('pinned', { versionId: '12345678-1234-1234-1234-123456789012' }),
      /^version 12345678-1234-1234-1234-123456789012: ResourceNotFoundException to /,
    ],
    [{ kind: 'aws-parameter', name: '/pinned/url:7' } as const, /^version or label 7: ParameterVersionNotFound to /],
  ])('a version or stage that is not there is named: %j', async (request, seen) => {
    await aws().moto.putSecret('pinned', '{"a":"1"}');
    await aws().moto.putParameter('/pinned/url', 'x');
    expect(await aws().open().failure(request)).toMatchObject({
      code: 'SECRET_NOT_FOUND',
      seen: expect.stringMatching(seen),
    });
  });

  it('with Retry-After says how long to wait', async () => {
    const { open, proxy } = aws();
    proxy.fault(() => awsError('ThrottlingException', 400, '', { 'retry-after': '7' }));
    expect(await open().failure(secret('any'))).toMatchObject({ code: 'BACKEND_THROTTLED', retryAfterMs: 7_000 });
    expect(proxy.calls.length).toBe(1);
  });

  it('is sent once: only the lease manager tries again', async () => {
    const { open, proxy } = aws();
    for (const fault of [awsError('InternalServiceError', 500), awsError('ThrottlingException')]) {
      proxy.clear();
      proxy.fault(() => fault);
      await open().failure(secret('any'));
      expect(proxy.calls.length).toBe(1);
    }
  });
});

describe('a failure names what was asked for', () => {
  const parameter = (name: string): SecretRequest => ({ kind: 'aws-parameter', name });
  it.each<[string, SecretRequest]>([
    ['of prod/none', secret('prod/none')],
    ['of prod/none', secret('prod/none', { stage: 'AWSPENDING' })],
    ['of /prod/none', parameter('/prod/none')],
    ['below /prod/none/', { kind: 'aws-parameters', path: '/prod/none/' }],
    ['whose name begins with prod/none/ in eu-west-1', { kind: 'aws-prefix', prefix: 'prod/none/' }],
  ])('%s', async (words, request) => {
    const { code, seen } = await aws().open().failure(request);
    expect([code, seen]).toEqual(['SECRET_NOT_FOUND', expect.stringContaining(words)]);
  });

  it('each secret of a batch has its own failure', async () => {
    const { open } = aws();
    const { failure } = open();
    const seen = await Promise.all(['none/a', 'none/b'].map(async (id) => (await failure(secret(id))).seen));
    expect(seen).toEqual([expect.stringContaining('of none/a in'), expect.stringContaining('of none/b in')]);
  });

  it('except a failure of the credentials, which concerns all secrets', async () => {
    const { open, proxy } = aws();
    proxy.fault(() => awsError('ExpiredTokenException'));
    const { failure } = open();
    const [a, b] = [await failure(secret('a')), await failure(secret('b'))];
    expect(a).toEqual(b);
  });
});

describe('a clock that is wrong', () => {
  it('is corrected by the date of the answer, in the same call', async () => {
    const { moto, open, proxy } = aws();
    await moto.putSecret('clock', 'x');
    const ahead = new Date(Date.now() + 3_600_000);
    const signedAt = (headers: Readonly<Record<string, unknown>>) =>
      Date.parse(String(headers['x-amz-date']).replace(/(....)(..)(..)T(..)(..)(..)Z/, '$1-$2-$3T$4:$5:$6Z'));
    proxy.fault(({ headers }) =>
      Math.abs(signedAt(headers) - ahead.getTime()) > 300_000
        ? awsError('InvalidSignatureException', 400, 'Signature expired', { date: ahead.toUTCString() })
        : undefined,
    );
    expect(await open().shown(secret('clock'))).toEqual({ value: 'x' });
    expect(proxy.calls.length).toBe(2);
  });
});

describe('an endpoint', () => {
  it('that cannot be reached fails with its address', async () => {
    const port = await findFreePort();
    const endpoint = `http://127.0.0.1:${port}`;
    const { failure } = aws().open({ endpoints: { secretsManager: endpoint } });
    expect(await failure(secret('any'))).toMatchObject({
      code: 'BACKEND_UNREACHABLE',
      place: 'secrets.aws-secret',
      seen: `connection refused at ${endpoint}`,
    });
  });

  it('that does not answer fails after the timeout', async () => {
    const { open, proxy } = aws();
    proxy.fault(() => 'hang');
    expect(await open({ timeoutMs: 100 }).failure(secret('any'))).toMatchObject({ code: 'BACKEND_TIMEOUT' });
  });

  it('that dies and comes back is used again', async () => {
    const { moto, open } = aws();
    await moto.putSecret('back', '1');
    const { fetch, failure } = open();
    const last = held(await fetch(secret('back')));
    await moto.kill();
    expect(await failure(secret('back'), last)).toMatchObject({ code: 'BACKEND_UNREACHABLE' });
    await moto.start();
    await moto.putSecret('back', '2');
    expect(await fetch(secret('back'), last)).toMatchObject({ state: 'changed' });
  });
});

describe('several regions', () => {
  const regions = { region: 'eu-west-1', failoverRegions: ['eu-central-1', 'us-east-1'] };
  const asked = () => aws().proxy.calls.map(({ region }) => region);

  it.each<[string, Fault]>([
    ['cannot be reached', 'reset'],
    ['answers 5xx', awsError('InternalServiceError', 500)],
  ])('the next is asked when one %s, and first for a while', async (_, fault) => {
    const { moto, open, proxy } = aws();
    await moto.putSecret('replicated', '1', 'eu-central-1');
    proxy.fault(({ region }) => (region === 'eu-west-1' ? fault : undefined));
    const { fetch, shown } = open(regions);
    expect(await shown(secret('replicated'))).toEqual({ value: '1' });
    await fetch(secret('replicated'));
    expect(asked()).toEqual(['eu-west-1', 'eu-central-1', 'eu-central-1']);
  });

  it('no other is asked when one refuses', async () => {
    expect(await aws().open(regions).failure(secret('nowhere'))).toMatchObject({ code: 'SECRET_NOT_FOUND' });
    expect(asked()).toEqual(['eu-west-1']);
  });

  it('fail with the failure of the first when all are down', async () => {
    const { open, proxy } = aws();
    proxy.fault(({ region }) => awsError(region === 'eu-west-1' ? 'InternalServiceError' : 'InternalFailure', 500));
    expect(await open(regions).failure(secret('any'))).toMatchObject({
      code: 'BACKEND_UNAVAILABLE',
      seen: expect.stringContaining('eu-west-1'),
    });
    expect(asked()).toEqual(['eu-west-1', 'eu-central-1', 'us-east-1']);
  });

  it('fail with the failure of the first when another one lacks the secret, also later', async () => {
    const { moto, open, proxy } = aws();
    await moto.putSecret('unreplicated', '1');
    const { failure, shown } = open({ region: 'eu-west-1', failoverRegions: ['eu-central-1'] });
    proxy.fault(({ region }) => (region === 'eu-west-1' ? 'reset' : undefined));
    for (let turn = 0; turn < 2; turn++) {
      expect(await failure(secret('unreplicated'))).toMatchObject({ code: 'BACKEND_UNREACHABLE' });
    }
    proxy.fault(undefined);
    expect(await shown(secret('unreplicated'))).toEqual({ value: '1' });
  });

  it('another region is asked for an ARN with its own region in it, and the secret keeps its name', async () => {
    const { moto, open, proxy } = aws();
    const { ARN } = await moto.putSecret('by-arn', '1');
    const { failure } = open({ region: 'eu-west-1', failoverRegions: ['eu-central-1'] });
    proxy.fault(({ region }) => (region === 'eu-west-1' ? 'reset' : undefined));
    await failure(secret(ARN));
    expect(proxy.calls.map(({ body }) => (JSON.parse(body) as { SecretId: string }).SecretId)).toEqual([
      ARN,
      ARN.replace('eu-west-1', 'eu-central-1'),
    ]);
    const elsewhere = ARN.replace('eu-west-1', 'us-east-1');
    proxy.clear();
    proxy.fault(() => 'reset');
    await failure(secret(elsewhere));
    for (const { body } of proxy.calls) expect(body).toContain(elsewhere);
    await moto.putSecret('known', '1', 'eu-central-1');
    proxy.fault(({ region }) => (region === 'eu-west-1' ? 'reset' : undefined));
    const { value } = open({ region: 'eu-west-1', failoverRegions: ['eu-central-1'] });
    expect((await value(secret('known'))).original?.id).toContain(':eu-west-1:');
  });

  it('are none for parameters, which have no replicas', async () => {
    const { open, proxy } = aws();
    proxy.fault(({ region }) => (region === 'eu-west-1' ? 'reset' : undefined));
    const { failure } = open({ region: 'eu-west-1', failoverRegions: ['eu-central-1'] });
    expect(await failure({ kind: 'aws-parameter', name: 'any' })).toMatchObject({ code: 'BACKEND_UNREACHABLE' });
    expect(proxy.calls.map(({ region }) => region)).toEqual(['eu-west-1']);
  });
});
