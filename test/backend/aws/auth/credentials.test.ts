import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AwsCredentials } from '../../../../src/backend/aws/auth/credentials.ts';
import { AwsHttp } from '../../../../src/backend/aws/client/http.ts';
import type { AwsBackendConfig, AwsCredentialSources } from '../../../../src/backend/aws/config/config.ts';
import { systemClock } from '../../../../src/base/clock.ts';
import { codeTable } from '../../../../src/base/codes.ts';
import { type Failure, PannierError } from '../../../../src/base/errors.ts';
import type { Fact } from '../../../../src/base/fact.ts';
import { Secret } from '../../../../src/base/secret.ts';
import { FakeClock } from '../../../fake-clock.ts';
import { awsError } from '../../../faults/aws-proxy.ts';
import { expectNoLeaks } from '../../../faults/leaks.ts';
import { awsConfig, KEYS, secret, useAws } from '../source/aws.helpers.ts';

expectNoLeaks();
const aws = useAws();

const never = new AbortController().signal;
const opened: AsyncDisposable[] = [];
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const one of opened.splice(0)) await one[Symbol.asyncDispose]();
  for (const name of ['credentials', 'config', 'token'])
    await rm(join(aws().dir, name), { recursive: true, force: true });
});

/** The keys of a backend whose chain has only the given sources, on a clock that the test moves. */
function open(sources: Partial<AwsCredentialSources>, config: Partial<AwsBackendConfig> = {}, env = {}) {
  const { proxy, dir } = aws();
  const base = awsConfig(proxy.address, dir, config);
  const { keys: _, ...nothing } = base.sources;
  const whole = { ...base, sources: { ...nothing, ...sources } };
  const clock = new FakeClock(Date.now());
  const facts: Fact[] = [];
  const emit = (fact: Fact) => void facts.push(fact);
  const http = new AwsHttp({ config: whole, clock: systemClock, emit, env });
  opened.push(http);
  const credentials = new AwsCredentials({ config: whole, http, clock, emit });
  const keyId = async (role = {}) => (await credentials.keysFor(role, never)).accessKeyId;
  const failure = async (role = {}) => {
    const error = await credentials.keysFor(role, never).catch((caught: unknown) => caught);
    if (error instanceof PannierError) return error.failure;
    throw new Error('there should have been no keys', { cause: error });
  };
  const made = () => facts.flatMap((fact) => (fact.kind === 'login-made' ? [fact.method] : []));
  return { credentials, clock, keyId, failure, made, facts };
}

const profile = (name: string, id: string, more = '') =>
  `[${name}]\naws_access_key_id = ${id}\naws_secret_access_key = made-up\n${more}`;
const write = (name: string, text: string) => writeFile(join(aws().dir, name), text);

/** Answers of a metadata service or of a container's credential service. */
async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = createServer(answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  opened.push({
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const issued = (AccessKeyId: string, Expiration: Date) =>
  JSON.stringify({ AccessKeyId, SecretAccessKey: 's', Token: 't', Expiration: Expiration.toISOString() });

describe('the chain', () => {
  beforeEach(() => write('credentials', profile('default', 'AKIAFILE') + profile('other', 'AKIAOTHER')));

  it('takes the keys of the environment first, unless a profile is named', async () => {
    const { keyId, made } = open({ keys: KEYS });
    expect(await keyId()).toBe('AKIATEST');
    expect(made()).toEqual(['environment']);
    expect(await open({ keys: KEYS, profile: 'other', isProfileNamed: true }).keyId()).toBe('AKIAOTHER');
  });

  it('takes the shared files next, with a role of the profile', async () => {
    const { keyId, made } = open({});
    expect(await keyId()).toBe('AKIAFILE');
    expect(made()).toEqual(['shared files']);
    const role = 'role_arn = arn:aws:iam::123456789012:role/p\nsource_profile = other\n';
    await write('config', `[profile chained]\n${role}`);
    const chained = open({ profile: 'chained', isProfileNamed: true });
    expect(await chained.keyId()).toMatch(/^ASIA/);
    expect(aws().proxy.calls.map(({ operation, accessKeyId }) => [operation, accessKeyId])).toEqual([
      ['AssumeRole', 'AKIAOTHER'],
    ]);
  });

  it('takes a web identity (IRSA), and reads its token anew each time', async () => {
    await rm(join(aws().dir, 'credentials'));
    const tokenFile = join(aws().dir, 'token');
    const webIdentity = { tokenFile, roleArn: 'arn:aws:iam::123456789012:role/irsa', sessionName: 'pod' };
    await write('token', 'first.token.x');
    const { credentials, keyId, made } = open({ webIdentity });
    expect(await keyId()).toMatch(/^ASIA/);
    expect(made()).toEqual(['web identity']);
    await write('token', 'second.token.x');
    await credentials.renewedSince({}, credentials.generationOf({}), never);
    const bodies = aws().proxy.calls.map(({ body }) => new URLSearchParams(body));
    expect(
      bodies.map((body) => [body.get('Action'), body.get('RoleSessionName'), body.get('WebIdentityToken')]),
    ).toEqual([
      ['AssumeRoleWithWebIdentity', 'pod', 'first.token.x'],
      ['AssumeRoleWithWebIdentity', 'pod', 'second.token.x'],
    ]);
  });

  it('takes the keys of a container (ECS, EKS Pod Identity), with the token in its file', async () => {
    await rm(join(aws().dir, 'credentials'));
    await write('token', 'pod-token');
    const seen: (string | undefined)[] = [];
    const uri = await serve(({ url, headers }, response) => {
      seen.push(url, headers.authorization);
      response.end(issued('ASIACONTAINER', new Date(Date.now() + 3_600_000)));
    });
    const { keyId, made } = open({
      container: { uri: `${uri}/v1/credentials`, authorizationFile: join(aws().dir, 'token') },
    });
    expect(await keyId()).toBe('ASIACONTAINER');
    expect(made()).toEqual(['container']);
    expect(seen).toEqual(['/v1/credentials', 'pod-token']);
  });

  it('takes the instance profile last, over the second version of the metadata service', async () => {
    await rm(join(aws().dir, 'credentials'));
    const paths: string[] = [];
    const endpoint = await serve(({ method, url = '', headers }, response) => {
      paths.push(`${method} ${url} ${headers['x-aws-ec2-metadata-token'] ?? ''}`.trim());
      if (url.endsWith('/token')) return void response.end('imds-token');
      response.end(url.endsWith('/role') ? issued('ASIAINSTANCE', new Date(Date.now() + 3_600_000)) : 'role');
    });
    const { keyId, made } = open({ instance: endpoint });
    expect(await keyId()).toBe('ASIAINSTANCE');
    expect(made()).toEqual(['instance profile']);
    const folder = '/latest/meta-data/iam/security-credentials/';
    expect(paths).toEqual(['PUT /latest/api/token', `GET ${folder} imds-token`, `GET ${folder}role imds-token`]);
  });
});

describe('a chain that gives nothing', () => {
  it('says which links were tried and what each lacks', async () => {
    const { failure } = open({});
    const failed = await failure();
    expect(failed).toMatchObject({ code: 'AUTH_NO_CREDENTIALS', place: 'backends.aws' });
    expect(failed.seen).toBe(
      'tried environment (AWS_ACCESS_KEY_ID or AWS_SECRET_ACCESS_KEY is not set), ' +
        `shared files (nothing for profile default in ${join(aws().dir, 'credentials')} and ${join(aws().dir, 'config')}), ` +
        'web identity (AWS_WEB_IDENTITY_TOKEN_FILE or AWS_ROLE_ARN is not set), ' +
        'container (no AWS_CONTAINER_CREDENTIALS_… is set), instance profile (AWS_EC2_METADATA_DISABLED is set)',
    );
  });

  it('asks a metadata service that says nothing once', async () => {
    let asked = 0;
    const endpoint = await serve(() => void asked++);
    const failed = await open({ instance: endpoint }).failure();
    expect(failed).toMatchObject({ code: 'AUTH_SERVICE_DOWN', hint: expect.stringContaining('Outside of AWS') });
    expect(failed.seen).toMatch(/instance profile \(no whole answer within 1000 ms from http:\/\/127.0.0.1:\d+\)$/);
    expect(asked).toBe(1);
  });

  it('ends at a link that is set up and fails, and says which', async () => {
    await write('credentials', profile('default', 'AKIAFILE'));
    expect((await open({ profile: 'gone', isProfileNamed: true }).failure()).seen).toMatch(
      /^tried environment \(skipped, since profile gone is configured\), shared files \(nothing for profile gone in [^,]*$/,
    );
    await rm(join(aws().dir, 'credentials'));
    const tokenFile = join(aws().dir, 'token');
    const webIdentity = { tokenFile, roleArn: 'arn:aws:iam::123456789012:role/irsa' };
    expect(await open({ webIdentity }).failure()).toMatchObject({
      code: 'AUTH_CREDENTIAL_UNREADABLE',
      seen: `web identity: cannot be read (ENOENT): ${tokenFile}`,
    });
    await write('token', 'x.y.z');
    const sts = (code: string, status = 400) => ({
      status,
      body: `<ErrorResponse><Error><Code>${code}</Code><Message>c4n4ry</Message></Error></ErrorResponse>`,
      headers: { 'content-type': 'text/xml' },
    });
    for (const [code, ours] of [
      ['AccessDenied', 'AUTH_DENIED'],
      ['InvalidIdentityToken', 'AUTH_DENIED'],
      ['IDPRejectedClaim', 'AUTH_DENIED'],
      ['ExpiredTokenException', 'AUTH_EXPIRED'],
      ['Throttling', 'BACKEND_THROTTLED'],
    ] as const) {
      aws().proxy.fault(() => sts(code));
      const failed = await open({ webIdentity }).failure();
      expect(failed).toMatchObject({ code: ours, seen: expect.stringContaining(`web identity: `) });
      expect(failed.seen).toMatch(new RegExp(`${code}(Exception)? to sts in eu-west-1$`));
      expect(JSON.stringify(failed)).not.toContain('c4n4ry');
    }
  });
});

describe('a service that gives credentials', () => {
  const notThere = async () => {
    const uri = await serve(() => undefined);
    await opened.pop()?.[Symbol.asyncDispose]();
    return uri;
  };
  const answering = (status: number) =>
    serve((_, response) => {
      response.statusCode = status;
      response.end('c4n4ry');
    });
  const hanging = () => serve(() => undefined);

  it.each<[string, () => Promise<string>, RegExp]>([
    ['refuses the connection', notThere, /^container: connection refused at http:\/\/127\.0\.0\.1:\d+$/],
    ['answers 503', () => answering(503), /^container: HTTP 503 from http:\/\/127\.0\.0\.1:\d+$/],
    ['answers 429', () => answering(429), /^container: HTTP 429 from http:\/\/127\.0\.0\.1:\d+$/],
    ['is too slow', hanging, /^container: no whole answer within 300 ms from http:\/\/127\.0\.0\.1:\d+$/],
  ])('of a container that %s is worth another try, and the failure names the cause', async (_title, start, seen) => {
    const failed = await open({ container: { uri: `${await start()}/v1/keys` } }, { timeoutMs: 300 }).failure();
    expect(failed).toMatchObject({ code: 'AUTH_SERVICE_DOWN', retry: 'backoff', seen: expect.stringMatching(seen) });
    expect(codeTable().AUTH_SERVICE_DOWN.exit).toBe(3);
  });

  it.each<[string, number, string, RegExp]>([
    ['has none for us', 404, 'AUTH_NO_CREDENTIALS', /container \(HTTP 404 from http:/],
    ['refuses the token', 401, 'AUTH_DENIED', /^container: HTTP 401 from http:/],
    ['answers something else', 200, 'AUTH_UNUSABLE', /^container: the answer from http:.* holds no credentials$/],
  ])('of a container that %s has its own failure, without the answer', async (_title, status, code, seen) => {
    const failed = await open({ container: { uri: await answering(status) } }).failure();
    expect(failed).toMatchObject({ code, seen: expect.stringMatching(seen) });
    expect(JSON.stringify(failed)).not.toContain('c4n4ry');
  });

  it.each<[string, () => Promise<string>, RegExp]>([
    ['refuses the connection', notThere, /instance profile \(connection refused at http:\/\/127/],
    ['answers 503', () => answering(503), /instance profile \(HTTP 503 from http:\/\/127/],
  ])('of an instance that %s is worth another try', async (_title, start, seen) => {
    const failed = await open({ instance: await start() }).failure();
    expect(failed).toMatchObject({ code: 'AUTH_SERVICE_DOWN', seen: expect.stringMatching(seen) });
  });

  it.each([403, 404])('of an instance without a role (%d) has nothing to give', async (status) => {
    const failed = await open({ instance: await answering(status) }).failure();
    expect(failed).toMatchObject({ code: 'AUTH_NO_CREDENTIALS' });
  });

  it('of an instance may give keys past their end during its own outage, and they are used', async () => {
    const endpoint = await serve(({ url = '' }, response) => {
      if (url.endsWith('/token')) return void response.end('imds-token');
      response.end(url.endsWith('/role') ? issued('ASIAOLD', new Date(Date.now() - 60_000)) : 'role');
    });
    const { keyId } = open({ instance: endpoint });
    expect([await keyId(), await keyId()]).toEqual(['ASIAOLD', 'ASIAOLD']);
  });

  it.each([
    ['EcsContainer', async () => ({ container: { uri: await notThere() } }), 'connection refused at http://127'],
    ['EcsContainer', async () => ({ container: { uri: await answering(503) } }), 'HTTP 503 from http://127'],
    ['Ec2InstanceMetadata', async () => ({ instance: await notThere() }), 'connection refused at http://127'],
  ])('that a profile names (%s) fails in the same way', async (source, sources, seen) => {
    const role = 'role_arn = arn:aws:iam::123456789012:role/p';
    await write('config', `[profile chained]\n${role}\ncredential_source = ${source}\n`);
    const made = await sources();
    if ('container' in made) vi.stubEnv('AWS_CONTAINER_CREDENTIALS_FULL_URI', made.container.uri);
    else vi.stubEnv('AWS_EC2_METADATA_SERVICE_ENDPOINT', made.instance);
    const failed = await open({ ...made, profile: 'chained', isProfileNamed: true }).failure();
    expect(failed.code).toBe('AUTH_SERVICE_DOWN');
    expect(failed.seen).toContain(`shared files: profile chained, credential_source ${source}: ${seen}`);
  });

  it('gets requests over plain HTTP only when it is on this machine', async () => {
    const failed = await open({ container: { uri: 'http://192.0.2.1/keys' } }).failure();
    expect(failed).toMatchObject({ code: 'AUTH_NO_CREDENTIALS', seen: expect.stringContaining('is refused') });
  });
});

describe('a profile with SSO', () => {
  /** An SSO portal on this machine. Its address counts for all services that have no endpoint of their own. */
  async function setUp(answer: (response: ServerResponse) => void, expiresAt = Date.now() + 3_600_000) {
    const asked: IncomingMessage[] = [];
    const portal = await serve((request, response) => {
      asked.push(request);
      response.setHeader('content-type', 'application/json');
      answer(response);
    });
    vi.stubEnv('AWS_ENDPOINT_URL_SSO', portal);
    await logIn(expiresAt);
    return { asked, ...open({ profile: 'me', isProfileNamed: true }) };
  }

  /** The session file that `aws sso login` writes. */
  async function logIn(expiresAt: number | undefined) {
    const { dir } = aws();
    vi.stubEnv('HOME', dir);
    vi.stubEnv('AWS_CONFIG_FILE', join(dir, 'config'));
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', join(dir, 'credentials'));
    const account = 'sso_account_id = 123456789012\nsso_role_name = Reader\n';
    const session = 'sso_region = eu-north-1\nsso_start_url = https://d-1.awsapps.com/start\n';
    await write('config', `[profile me]\nsso_session = corp\n${account}[sso-session corp]\n${session}`);
    await mkdir(join(dir, '.aws/sso/cache'), { recursive: true });
    const name = createHash('sha1').update('corp').digest('hex');
    const token = { accessToken: 'sso-access-token', expiresAt: new Date(expiresAt ?? 0).toISOString() };
    const path = join(dir, '.aws/sso/cache', `${name}.json`);
    if (expiresAt === undefined) await rm(path, { force: true });
    else await writeFile(path, JSON.stringify(token));
  }

  const given = (response: ServerResponse) =>
    response.end(
      JSON.stringify({
        roleCredentials: {
          accessKeyId: 'ASIASSO',
          secretAccessKey: 's',
          sessionToken: 't',
          expiration: Date.now() + 3_600_000,
        },
      }),
    );
  const status = (code: number, type: string) => (response: ServerResponse) => {
    response.statusCode = code;
    response.setHeader('x-amzn-errortype', type);
    response.end('{"message":"c4n4ry"}');
  };

  it('is asked at its own portal, and STS never sees the access token', async () => {
    const { asked, keyId } = await setUp(given);
    expect(await keyId()).toBe('ASIASSO');
    expect(asked.map(({ url }) => url)).toEqual(['/federation/credentials?role_name=Reader&account_id=123456789012']);
    expect(asked[0]?.headers['x-amz-sso_bearer_token']).toBe('sso-access-token');
    expect(aws().proxy.calls).toEqual([]);
  });

  it('is asked in the region of its session, whatever that of the backend is', async () => {
    const tunnels: string[] = [];
    const proxy = createServer();
    proxy.on('connect', ({ url = '' }, socket) => {
      tunnels.push(url);
      socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
    });
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    await logIn(Date.now() + 3_600_000);
    const { port } = proxy.address() as AddressInfo;
    const env = { HTTPS_PROXY: `http://127.0.0.1:${port}` };
    const failed = await open({ profile: 'me', isProfileNamed: true }, {}, env).failure();
    expect(tunnels).toEqual(['portal.sso.eu-north-1.amazonaws.com:443']);
    expect(failed).toMatchObject({ code: 'AUTH_SERVICE_DOWN', seen: expect.stringContaining('profile me: ') });
    await new Promise((closed) => proxy.close(closed));
  });

  it.each<[string, () => Promise<{ failure: () => Promise<Failure> }>, string, RegExp]>([
    ['has expired', () => setUp(given, Date.now() - 1_000), 'AUTH_EXPIRED', /profile me: the SSO session has expired$/],
    [
      'is refused by the portal',
      () => setUp(status(401, 'UnauthorizedException')),
      'AUTH_EXPIRED',
      /profile me: the SSO session has expired$/,
    ],
    [
      'was never begun',
      async () => {
        await logIn(undefined);
        return open({ profile: 'me', isProfileNamed: true });
      },
      'AUTH_EXPIRED',
      /profile me: there is no SSO session$/,
    ],
    [
      'may not use the role',
      () => setUp(status(403, 'ForbiddenException')),
      'AUTH_DENIED',
      /HTTP 403 from the SSO portal/,
    ],
    ['meets a portal in trouble', () => setUp(status(503, 'X')), 'AUTH_SERVICE_DOWN', /HTTP 503 from the SSO portal/],
  ])('whose session %s says so', async (_title, start, code, seen) => {
    const failed = await (await start()).failure();
    expect(failed).toMatchObject({ code, seen: expect.stringMatching(seen) });
    if (code === 'AUTH_EXPIRED') expect(failed.hint).toContain('aws sso login --profile me');
    expect(JSON.stringify(failed)).not.toMatch(/c4n4ry|sso-access-token|sts/);
  });
});

it('a profile that asks for an MFA code fails with its name', async () => {
  await write('credentials', profile('base', 'AKIABASE'));
  const role = 'role_arn = arn:aws:iam::123456789012:role/p\nsource_profile = base\n';
  await write('config', `[profile admin]\n${role}mfa_serial = arn:aws:iam::123456789012:mfa/me\n`);
  expect(await open({ profile: 'admin', isProfileNamed: true }).failure()).toMatchObject({
    code: 'AUTH_NO_CREDENTIALS',
    seen: 'shared files: profile admin asks for an MFA code (mfa_serial)',
  });
});

it('a profile with a web identity is asked for at the endpoint of STS', async () => {
  await write('token', 'x.y.z');
  const role = 'role_arn = arn:aws:iam::123456789012:role/p';
  await write('config', `[profile irsa]\n${role}\nweb_identity_token_file = ${join(aws().dir, 'token')}\n`);
  expect(await open({ profile: 'irsa', isProfileNamed: true }).keyId()).toMatch(/^ASIA/);
  expect(aws().proxy.calls.map(({ operation }) => operation)).toEqual(['AssumeRoleWithWebIdentity']);
});

it('keys with characters that no header carries fail with the name of their link', async () => {
  const uri = await serve((_, response) => response.end(issued('ASIA\nX', new Date(Date.now() + 3_600_000))));
  expect(await open({ container: { uri } }).failure()).toMatchObject({
    code: 'AUTH_UNUSABLE',
    seen: 'container: its accessKeyId holds a line break, a space or another character that no key has',
  });
});

describe('keys', () => {
  it('of shared files are read again when a file changes', async () => {
    await write('credentials', profile('default', 'AKIAONE'));
    const { keyId, clock, made } = open({});
    expect([await keyId(), await keyId()]).toEqual(['AKIAONE', 'AKIAONE']);
    await write('credentials', profile('default', 'AKIATWOTWO'));
    await clock.advance(1_000);
    expect(await keyId()).toBe('AKIATWOTWO');
    expect(made()).toEqual(['shared files', 'shared files']);
  });

  it('that expire are replaced five minutes before, used on while that fails, and never after their end', async () => {
    let answer: string | undefined;
    const uri = await serve((_, response) => {
      response.statusCode = answer === undefined ? 500 : 200;
      response.end(answer);
    });
    const { keyId, failure, clock } = open({ container: { uri } });
    const inAnHour = () => new Date(clock.wallMs() + 3_600_000);
    answer = issued('ASIAONE', inAnHour());
    expect(await keyId()).toBe('ASIAONE');
    answer = issued('ASIATWO', inAnHour());
    await clock.advance(54 * 60_000);
    expect(await keyId()).toBe('ASIAONE');
    answer = undefined;
    await clock.advance(2 * 60_000);
    expect(await keyId()).toBe('ASIAONE');
    answer = issued('ASIATWO', inAnHour());
    await clock.advance(1_000); // no sooner is it tried again
    expect(await keyId()).toBe('ASIATWO');
    answer = undefined;
    await clock.advance(61 * 60_000);
    expect(await failure()).toMatchObject({ code: 'AUTH_SERVICE_DOWN' });
  });

  it('that AWS calls expired are fetched again at once, and the call goes on with the new ones', async () => {
    const { moto, proxy, dir } = aws();
    await moto.putSecret('expired', 'x');
    await write('credentials', profile('default', 'AKIAOLD', 'aws_session_token = old\n'));
    proxy.fault(({ accessKeyId }) => (accessKeyId === 'AKIAOLD' ? awsError('ExpiredTokenException') : undefined));
    const { keys: _, ...sources } = awsConfig('', dir).sources;
    const { shown, failure } = aws().open({ sources });
    expect(await failure(secret('expired'))).toMatchObject({ code: 'AUTH_EXPIRED' });
    expect(proxy.calls.length).toBe(1);
    await write('credentials', profile('default', 'AKIANEW'));
    await expect
      .poll(() => shown(secret('expired')).catch(() => 'refused'), { timeout: 10_000 })
      .toEqual({ value: 'x' });
  });

  it('that are refused are fetched again at most once a second, however many secrets fail', async () => {
    const { proxy, dir } = aws();
    await write('credentials', profile('default', 'AKIAOLD'));
    proxy.fault(() => awsError('UnrecognizedClientException'));
    const { keys: _, ...sources } = awsConfig('', dir).sources;
    const { failure, facts } = aws().open({ sources });
    await Promise.all(Array.from({ length: 30 }, (_, i) => failure(secret(`${i}`, { stage: 'AWSPREVIOUS' }))));
    expect(facts.filter(({ kind }) => kind === 'login-made').length).toBeLessThanOrEqual(4);
    expect(proxy.calls.length).toBeLessThanOrEqual(60);
  });
});

describe('a shared file that is there and cannot be used', () => {
  const container = async (id: string) => ({
    uri: await serve((_, response) => response.end(issued(id, new Date(Date.now() + 3_600_000)))),
  });

  it.each([
    ['AUTH_CREDENTIAL_EMPTY', ''],
    ['AUTH_CREDENTIAL_UNREADABLE', 'gar\0bage'],
    ['AUTH_CREDENTIAL_UNREADABLE', '[defa'],
    ['AUTH_CREDENTIAL_UNREADABLE', '[default]\naws_acc'],
    ['AUTH_CREDENTIAL_UNREADABLE', '[default]\naws_access_key_id = AKIA\n'],
    ['AUTH_CREDENTIAL_UNREADABLE', '[default]\ncredential_process = false\n'],
  ])('is %s (%j), ends the chain, and is read again when it changes', async (code, text) => {
    await write('credentials', text);
    const { failure, keyId, clock } = open({ container: await container('ASIAOTHER') });
    expect(await failure()).toMatchObject({
      code,
      place: 'backends.aws',
      seen: expect.stringMatching(/^shared files: /),
    });
    await write('credentials', profile('default', 'AKIAFILE'));
    await clock.advance(1_000);
    expect(await keyId()).toBe('AKIAFILE');
  });

  it('ends the chain when it is a directory; one that says nothing of the profile, or no keys, does not', async () => {
    await mkdir(join(aws().dir, 'credentials'));
    const sources = { container: await container('ASIAOTHER') };
    expect(await open(sources).failure()).toMatchObject({
      code: 'AUTH_CREDENTIAL_UNREADABLE',
      seen: expect.stringContaining('EISDIR'),
    });
    await rm(join(aws().dir, 'credentials'), { recursive: true });
    await write('config', '[default]\nregion = eu-west-1\n');
    await write('credentials', profile('other', 'AKIAOTHER'));
    expect(await open(sources).keyId()).toBe('ASIAOTHER');
    expect(await open({ ...sources, credentialsFile: '/dev/null' }).keyId()).toBe('ASIAOTHER');
  });

  it('and a token file are not waited for when they are FIFOs', async () => {
    const fifo = join(aws().dir, 'fifo');
    execFileSync('mkfifo', [fifo]);
    const webIdentity = { tokenFile: fifo, roleArn: 'arn:aws:iam::000000000000:role/shop' };
    const asked = { ...(await container('ASIAOTHER')), authorizationFile: fifo };
    const role = 'role_arn = arn:aws:iam::000000000000:role/shop';
    await write('config', `[profile irsa]\n${role}\nweb_identity_token_file = ${fifo}\n`);
    const inProfile = { profile: 'irsa', isProfileNamed: true };
    for (const sources of [{ credentialsFile: fifo }, { webIdentity }, { container: asked }, inProfile]) {
      expect(await open(sources).failure()).toMatchObject({
        code: 'AUTH_CREDENTIAL_UNREADABLE',
        seen: expect.stringMatching(/cannot be read \(EFTYPE\)|is not a regular file/),
      });
    }
  });

  it('leaves the keys in use that came from it, says so once, and its next content counts', async () => {
    await write('credentials', profile('default', 'AKIAONE'));
    const { keyId, clock, facts } = open({ container: await container('ASIAOTHER') });
    expect(await keyId()).toBe('AKIAONE');
    await write('credentials', '');
    for (let turn = 0; turn < 3; turn++) {
      await clock.advance(1_500);
      expect(await keyId()).toBe('AKIAONE');
    }
    expect(facts.flatMap((fact) => (fact.kind === 'agent-warning' ? [fact.warning.code] : []))).toEqual([
      'AUTH_CREDENTIAL_EMPTY',
    ]);
    await write('credentials', profile('default', 'AKIATWO'));
    await clock.advance(1_500);
    expect(await keyId()).toBe('AKIATWO');
  });

  it('that appears is taken instead of a later link', async () => {
    const { keyId, clock } = open({ container: await container('ASIAOTHER') });
    expect(await keyId()).toBe('ASIAOTHER');
    await write('credentials', profile('default', 'AKIAFILE'));
    await clock.advance(1_000);
    expect(await keyId()).toBe('AKIAFILE');
  });
});

describe('a link that hangs', () => {
  const pidFile = () => join(aws().dir, 'token');
  const hang = async () =>
    await write('config', `[default]\ncredential_process = echo $$ >> ${pidFile()}; exec sleep 300\n`);
  const pids = async () => (await readFile(pidFile(), 'utf8')).trim().split('\n').map(Number);

  it('fails after the timeout, is not started twice, and does not delay a cancelled caller', async () => {
    await hang();
    const { credentials, clock, failure } = open({});
    const first = failure();
    await expect.poll(() => pids().catch(() => [])).toHaveLength(1);
    await clock.advance(1_000);
    expect(credentials.trouble()).toMatchObject({ code: 'AUTH_SERVICE_DOWN', seen: 'shared files: no answer yet' });
    const stop = new AbortController();
    const cancelled = credentials.keysFor({}, stop.signal).catch((error: PannierError) => error.failure.code);
    stop.abort();
    expect(await cancelled).toBe('CANCELLED');
    await clock.advance(10_000);
    expect(await first).toMatchObject({
      code: 'AUTH_NO_CREDENTIALS',
      seen: 'shared files: no answer within 11000 ms',
    });
    expect(credentials.trouble()).toBeUndefined();
    const second = failure();
    await new Promise((resolve) => setTimeout(resolve, 50));
    await clock.advance(11_000);
    await second;
    const [pid = 0, ...more] = await pids();
    expect(more).toEqual([]);
    process.kill(pid);
  });
});

describe('a role', () => {
  const roleArn = 'arn:aws:iam::123456789012:role/shop';
  const assumed = () =>
    aws()
      .proxy.calls.filter(({ operation }) => operation === 'AssumeRole')
      .map(({ body, accessKeyId }) => [
        new URLSearchParams(body).get('RoleArn'),
        new URLSearchParams(body).get('ExternalId'),
        accessKeyId,
      ]);

  it('of the backend is assumed with the keys of the chain, with its external id, and kept', async () => {
    const { keyId, made } = open({ keys: KEYS }, { roleArn, externalId: 'ours' });
    const id = await keyId();
    expect(id).toMatch(/^ASIA/);
    expect(await keyId()).toBe(id);
    expect(assumed()).toEqual([[roleArn, 'ours', 'AKIATEST']]);
    expect(made()).toEqual(['environment', 'role']);
  });

  it('of a secret is assumed with the identity of the backend', async () => {
    const { keyId } = open({ keys: KEYS }, { roleArn });
    const own = await keyId();
    const other = { roleArn: 'arn:aws:iam::123456789012:role/billing', externalId: 'b' };
    expect(await keyId(other)).not.toBe(own);
    expect(await keyId()).toBe(own);
    expect(assumed()).toEqual([
      [roleArn, null, 'AKIATEST'],
      [other.roleArn, 'b', own],
    ]);
  });

  it('signs the requests for the secrets that name it', async () => {
    const { moto, proxy } = aws();
    await moto.putSecret('roles/a', 'a');
    await moto.putSecret('roles/b', 'b');
    const { shown } = aws().open();
    expect(await Promise.all([shown(secret('roles/a')), shown(secret('roles/b', { roleArn }))])).toEqual([
      { value: 'a' },
      { value: 'b' },
    ]);
    const reads = proxy.calls.filter(({ operation }) => operation === 'GetSecretValue');
    expect(reads.map(({ accessKeyId, body }) => `${accessKeyId.slice(0, 4)} ${body}`).sort()).toEqual([
      'AKIA {"SecretId":"roles/a"}',
      'ASIA {"SecretId":"roles/b"}',
    ]);
  });

  it('that is refused leaves the keys of the other roles as they are', async () => {
    const { proxy } = aws();
    const other = { roleArn: 'arn:aws:iam::123456789012:role/refused' };
    const { credentials, keyId, clock } = open({ keys: KEYS }, { roleArn });
    const [own, before] = [await keyId(), await keyId(other)];
    await clock.advance(1_000);
    expect(await credentials.renewedSince(other, credentials.generationOf(other), never)).toBe(true);
    expect(await keyId()).toBe(own);
    expect(await keyId(other)).not.toBe(before);
    const sts = (code: string) => ({
      status: 403,
      body: `<ErrorResponse><Error><Code>${code}</Code></Error></ErrorResponse>`,
      headers: { 'content-type': 'text/xml' },
    });
    proxy.fault(({ operation }) => (operation === 'AssumeRole' ? sts('AccessDenied') : undefined));
    await clock.advance(1_000);
    proxy.clear();
    await credentials.renewedSince(other, credentials.generationOf(other), never).catch(() => undefined);
    expect(assumed()).toEqual([[other.roleArn, null, own]]);
    expect(await keyId()).toBe(own);
    // Keys that STS calls expired are replaced, and STS is asked again.
    proxy.fault(({ operation, accessKeyId }) =>
      operation === 'AssumeRole' && accessKeyId === own ? sts('ExpiredTokenException') : undefined,
    );
    await clock.advance(1_000);
    expect(await credentials.renewedSince(other, credentials.generationOf(other), never)).toBe(true);
    expect(await keyId()).not.toBe(own);
  });

  it('is assumed in the next region when STS of the first is down, which says nothing of its secrets', async () => {
    const { moto, proxy } = aws();
    await moto.putSecret('sts-down', 'x');
    proxy.fault(({ operation, region }) =>
      operation === 'AssumeRole' && region === 'eu-west-1' ? awsError('InternalFailure', 500) : undefined,
    );
    const { shown, failure } = aws().open({ roleArn, failoverRegions: ['us-east-1'] });
    expect(await shown(secret('sts-down'))).toEqual({ value: 'x' });
    expect(proxy.calls.map(({ operation, region }) => `${operation} ${region}`)).toEqual([
      'AssumeRole eu-west-1',
      'AssumeRole us-east-1',
      'GetSecretValue eu-west-1',
    ]);
    proxy.clear();
    proxy.fault(({ operation }) => (operation === 'AssumeRole' ? awsError('InternalFailure', 500) : undefined));
    const none = aws().open({ roleArn, failoverRegions: ['us-east-1'] });
    expect(await none.failure(secret('sts-down'))).toMatchObject({
      code: 'BACKEND_UNAVAILABLE',
      seen: expect.stringContaining('eu-west-1'),
    });
    expect(proxy.calls).toHaveLength(2);
    proxy.fault(undefined);
    proxy.clear();
    await none.shown(secret('sts-down'));
    expect(proxy.calls.at(-1)?.region).toBe('eu-west-1');
    expect(await failure(secret('sts-none'))).toMatchObject({ code: 'SECRET_NOT_FOUND' });
  });

  it('that may not be assumed is a failure of the login', async () => {
    aws().proxy.fault(({ operation }) =>
      operation === 'AssumeRole'
        ? {
            status: 403,
            body: '<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>',
            headers: { 'content-type': 'text/xml' },
          }
        : undefined,
    );
    expect(await open({ keys: KEYS }, { roleArn }).failure()).toMatchObject({
      code: 'AUTH_DENIED',
      place: 'backends.aws',
      seen: `role ${roleArn}: AccessDenied to sts AssumeRole in eu-west-1`,
    });
  });
});

it('an Authorization token given as such is a secret like the others', async () => {
  const uri = await serve((_, response) => response.end(issued('ASIAX', new Date(Date.now() + 3_600_000))));
  expect(await open({ container: { uri, authorization: Secret.text('t') } }).keyId()).toBe('ASIAX');
});
