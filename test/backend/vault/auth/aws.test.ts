import { describe, expect, it } from 'vitest';
import { signCallerIdentity } from '../../../../src/backend/aws/client/sign-caller-identity.ts';
import type { AwsBackendConfig } from '../../../../src/backend/aws/config/config.ts';
import type { LoginConfig } from '../../../../src/backend/vault/config/config.ts';
import { Secret } from '../../../../src/base/secret.ts';
import { ensureMoto, startMoto } from '../../../servers/index.ts';
import { python } from '../../../templates/programs.helpers.ts';
import { answer, refuse } from './fake-vault.ts';
import { auth, bodyOf, common, failureOf, methodOf } from './method.helpers.ts';

const KEYS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };
const AT = Date.parse('2015-08-30T12:36:00Z');

/** The signature of the reference implementation for the same request. */
const BOTOCORE = `
sys.path.insert(0, sys.argv[1])
import botocore.auth, botocore.awsrequest, botocore.credentials, botocore.compat, datetime
given = json.loads(sys.argv[2])
class At(datetime.datetime):
    @classmethod
    def utcnow(cls): return cls(2015, 8, 30, 12, 36)
    @classmethod
    def now(cls, tz=None): return cls(2015, 8, 30, 12, 36, tzinfo=tz)
if hasattr(botocore.auth, 'get_current_datetime'):
    botocore.auth.get_current_datetime = lambda *a, **k: At.utcnow()
else:
    botocore.auth.datetime.datetime = At
keys = botocore.credentials.Credentials(given['accessKeyId'], given['secretAccessKey'], given.get('sessionToken'))
request = botocore.awsrequest.AWSRequest('POST', given['url'], headers=given['headers'], data=given['body'])
botocore.auth.SigV4Auth(keys, 'sts', given['region']).add_auth(request)
print(json.dumps(request.headers['Authorization']))`;

const account = (region: string, sts?: string) => ({ region, endpoints: sts === undefined ? {} : { sts } });

describe('a signed GetCallerIdentity request', () => {
  it.each([
    ['us-east-1', undefined, undefined, 'https://sts.amazonaws.com/'],
    ['eu-west-1', 'vault.shop.example', undefined, 'https://sts.eu-west-1.amazonaws.com/'],
    ['cn-north-1', undefined, 'IQoJ+/=token', 'https://sts.cn-north-1.amazonaws.com.cn/'],
  ])('has the signature that botocore gives it (%s, server id %s)', async (region, serverId, sessionToken, url) => {
    const keys = { ...KEYS, ...(sessionToken === undefined ? {} : { sessionToken }) };
    const signed = await signCallerIdentity({ account: account(region), serverId, keys, nowMs: AT });
    expect(signed.url).toBe(url);
    const { authorization = '', ...headers } = signed.headers;
    const told: string[] = /SignedHeaders=([^,]+),/.exec(authorization)?.[1]?.split(';') ?? [];
    expect(told).toEqual(expect.arrayContaining(['host', 'x-amz-date', 'content-type']));
    expect(told.includes('x-vault-aws-iam-server-id')).toBe(serverId !== undefined);
    const given = {
      ...keys,
      region,
      url,
      body: signed.body,
      headers: without(headers, 'x-amz-security-token', 'host'),
    };
    expect(await python(BOTOCORE, await ensureMoto(), JSON.stringify(given))).toBe(authorization);
  });

  it('is answered by STS, and refused when something in it was changed', async () => {
    await using moto = await startMoto();
    const allowed = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] };
    const keys = await moto.user('shop', allowed);
    await moto.checkPolicies();
    const { url, body, headers } = await signCallerIdentity({
      account: account('us-east-1', moto.address),
      serverId: 'vault.shop.example',
      keys,
      nowMs: Date.now(),
    });
    const send = (changed: object) => fetch(url, { method: 'POST', body, headers: { ...headers, ...changed } });
    const right = await send({});
    expect([right.status, await right.text()]).toEqual([200, expect.stringContaining(':user/shop')]);
    expect((await send({ 'x-vault-aws-iam-server-id': 'other.example' })).status).toBe(403);
  });
});

describe('the aws login', () => {
  const sources = {
    keys: { accessKeyId: KEYS.accessKeyId, secretAccessKey: Secret.text(KEYS.secretAccessKey) },
    profile: 'default',
    isProfileNamed: false,
    credentialsFile: '/nowhere',
    configFile: '/nowhere',
  };
  const config = (more: object = {}, changed: Partial<AwsBackendConfig> = {}): LoginConfig => ({
    ...common,
    method: 'aws',
    mount: 'aws',
    account: {
      kind: 'aws-secrets-manager',
      name: 'bao',
      region: 'eu-west-1',
      failoverRegions: [],
      endpoints: {},
      roleSessionName: 'pannier',
      timeoutMs: 1_000,
      sources,
      ...changed,
    },
    ...more,
  });

  it('gives the server a request signed for its own id, as a call that is not sent twice', async () => {
    const { client, logIn, clock, facts } = methodOf(config({ role: 'shop', serverId: 'vault.shop.example' }));
    client.on('POST auth/aws/login', () => answer({ auth }));
    expect((await logIn()).token.exposeText('backend')).toBe('made');
    expect(client.calls.at(-1)).toMatchObject({ idempotent: false, place: 'backends.bao.auth' });
    const { iam_request_url, iam_request_body, iam_request_headers, ...rest } = bodyOf(client) as Record<
      string,
      string
    >;
    const text = (base64 = '') => Buffer.from(base64, 'base64').toString();
    expect(rest).toEqual({ role: 'shop', iam_http_request_method: 'POST' });
    expect(text(iam_request_url)).toBe('https://sts.eu-west-1.amazonaws.com/');
    expect(text(iam_request_body)).toBe('Action=GetCallerIdentity&Version=2011-06-15');
    const headers = JSON.parse(text(iam_request_headers)) as Record<string, string>;
    expect(headers).toMatchObject({
      host: 'sts.eu-west-1.amazonaws.com',
      'x-vault-aws-iam-server-id': 'vault.shop.example',
    });
    expect(headers['authorization']).toContain('Credential=AKIDEXAMPLE/');
    expect(headers['x-amz-date']).toBe(new Date(clock.wallMs()).toISOString().replace(/[-:]|\.\d{3}/g, ''));
    expect(facts.filter(({ kind }) => kind === 'login-made')).toEqual([]);
  });

  it('without a role leaves it to the server', async () => {
    const { client, logIn } = methodOf(config());
    client.on('POST auth/aws/login', () => answer({ auth }));
    await logIn();
    expect(bodyOf(client)).not.toHaveProperty('role');
  });

  it('sends no request without credentials, and says what was tried', async () => {
    const { keys: _, ...none } = sources;
    const { client, logIn } = methodOf(config({}, { sources: none }));
    const failed = await failureOf(logIn);
    expect(failed).toMatchObject({ code: 'AUTH_NO_CREDENTIALS', place: 'backends.bao' });
    expect(failed.seen).toMatch(/environment .*, shared files .*, web identity .*, container .*, instance profile/);
    expect(client.calls).toEqual([]);
  });

  it('that is refused shows nothing of the request', async () => {
    const { client, logIn } = methodOf(config());
    client.on('POST auth/aws/login', () => refuse(400, { errors: ['canary AKIDEXAMPLE'] }));
    const failed = await failureOf(logIn);
    expect(failed).toMatchObject({ code: 'AUTH_DENIED', place: 'backends.bao.auth' });
    expect(JSON.stringify(failed)).not.toMatch(/canary|AKID/);
  });
});

function without(headers: Readonly<Record<string, string>>, ...names: readonly string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name)));
}
