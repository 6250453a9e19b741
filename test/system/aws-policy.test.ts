import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type AwsUser, type Moto, startMoto } from '../servers/index.ts';
import { runAgent } from './agent.helpers.ts';
import { useScene } from './openbao.helpers.ts';

const scene = useScene();
let moto: Moto;
const arns: Record<string, string> = {};

beforeAll(async () => {
  moto = await startMoto();
  const put = async (name: string) => {
    const { ARN } = await moto.putSecret(name, JSON.stringify({ password: 'hunter2' }));
    arns[name] = ARN;
  };
  for (const name of ['prod/app', 'prod/db', 'set/one', 'set/two']) await put(name);
  for (const name of ['/shop/url', '/shop/key', '/tree/a', '/tree/b/c']) await moto.putParameter(name, 'hunter2');
}, 300_000);
afterAll(() => moto.stop());
afterEach(() => moto.checkPolicies(false));

const GET = 'secretsmanager:GetSecretValue';
const BATCH = 'secretsmanager:BatchGetSecretValue';

interface Statement {
  readonly Effect: string;
  readonly Action: readonly string[];
  readonly Resource: readonly string[];
}

const SECRETS = {
  app: { secretId: 'prod/app', refresh: '1s' },
  db: { secretId: 'prod/db', refresh: '1s' },
  set: { prefix: 'set/', refresh: '1s' },
  url: { parameter: '/shop/url', refresh: '1s' },
  key: { parameter: '/shop/key', refresh: '1s' },
  tree: { parameter: '/tree/', refresh: '1s' },
};

const configured = (secrets: object = SECRETS) => ({
  backends: { aws: { kind: 'aws-secrets-manager', endpoint: moto.address, region: moto.region } },
  secrets,
});

/** The one policy that is printed, as IAM takes it. */
async function printed(config: object): Promise<readonly Statement[]> {
  const place = await scene.place();
  const agent = await runAgent(['policy', '-c', await place.config(config)]);
  expect(agent.status).toBe(0);
  const document = JSON.parse(agent.stdout()) as { Version: string; Statement: readonly Statement[] };
  expect(document.Version).toBe('2012-10-17');
  return document.Statement;
}

/** Makes a user with this policy; to be called before `checkPolicies`. */
async function makeUser(name: string, statements: readonly Statement[]): Promise<AwsUser> {
  // moto compares resources only where it knows one, and gives `*` for these services.
  const Statement = statements.filter(({ Action }) => Action.length > 0).map((one) => ({ ...one, Resource: '*' }));
  return await moto.user(name, { Version: '2012-10-17', Statement });
}

/** The calls that are refused to a user through a start and a poll of each secret. */
async function refusedTo({ accessKeyId, secretAccessKey }: AwsUser): Promise<readonly string[]> {
  const place = await scene.place();
  const out = { dir: join(place.dir, 'out'), files: { f: { format: 'json', from: Object.keys(SECRETS) } } };
  const config = await place.config({ ...configured(), outputs: { o: out }, log: { level: 'debug' } });
  const keys = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
  const agent = scene.run(config, { env: { ...keys, AWS_EC2_METADATA_DISABLED: 'true' } });
  // A start takes five calls, and a poll of all secrets six.
  await agent.waitFor('backend-answered', { count: 18 });
  await agent.stop();
  const answers = agent.facts('backend-answered').filter(({ status }) => Number(status) >= 400);
  return [...new Set(answers.map(({ call }) => String(call).replace(/^(?:secretsmanager|ssm) /, '')))];
}

describe('pannier policy for AWS', () => {
  it('prints a policy under which nothing is refused, and no action that can be left out', async () => {
    const all = await printed(configured());
    const user = await makeUser('all', all);
    const lacking = new Map<string, AwsUser>();
    for (const action of new Set(all.flatMap(({ Action }) => Action))) {
      // A batch that is allowed reads the values here; AWS itself asks for GetSecretValue in a batch too.
      const left = action === GET ? [action, BATCH] : [action];
      const without = all.map((one) => ({ ...one, Action: one.Action.filter((other) => !left.includes(other)) }));
      lacking.set(action, await makeUser(`without-${action.split(':')[1]}`, without));
    }
    await moto.checkPolicies();
    expect(await refusedTo(user)).toEqual([]);
    const results = [...lacking].map(async ([action, one]) => [action, await refusedTo(one)] as const);
    for (const [action, refused] of await Promise.all(results)) {
      expect(refused, action).toContain(action.split(':')[1]);
    }
  });

  it('has for what clients name what a read and a look take, in a policy for each role', async () => {
    const role = 'arn:aws:iam::210987654321:role/shared';
    const aws = { onDemand: true, allow: ['prod/*', 'arn:aws:secretsmanager:eu-west-1:1:secret:db-AbCdEf'] };
    const place = await scene.place();
    const listener = { listen: '127.0.0.1:2773', tokenFile: '/run/token' };
    const config = { ...configured({}), api: { ...listener, aws: { ...aws, parameters: ['/p/*'], roleArns: [role] } } };
    const agent = await runAgent(['policy', '--json', '-c', await place.config(config)]);
    const policies = JSON.parse(agent.stdout()) as { for: string; policy: { Statement: Statement[] } }[];
    const read = {
      Effect: 'Allow',
      Action: [GET, 'secretsmanager:DescribeSecret'],
      Resource: [
        'arn:aws:secretsmanager:eu-west-1:*:secret:prod/*-??????',
        'arn:aws:secretsmanager:eu-west-1:1:secret:db-AbCdEf',
        'arn:aws:secretsmanager:eu-west-1:1:secret:db-AbCdEf-??????',
      ],
    };
    const parameters = {
      Effect: 'Allow',
      Action: ['ssm:GetParameter'],
      Resource: ['arn:aws:ssm:eu-west-1:*:parameter/p/*'],
    };
    const assume = { Effect: 'Allow', Action: ['sts:AssumeRole'], Resource: [role] };
    expect(policies.map((one) => [one.for, one.policy.Statement])).toEqual([
      ['the identity that the agent runs as', [read, parameters, assume]],
      [`the role ${role}`, [read]],
    ]);
  });

  it('names each secret and parameter by an ARN that fits it, and no other one', async () => {
    const all = await printed(configured());
    const allowing = (action: string) =>
      all.filter(({ Action }) => Action.includes(action)).flatMap(({ Resource }) => Resource);
    const fits = (pattern: string, arn: string) =>
      new RegExp(
        `^${pattern.replace(/[.*+?^${}()|[\]\\]/g, (one) => (one === '*' ? '.*' : one === '?' ? '.' : `\\${one}`))}$`,
      ).test(arn);
    const read = allowing('secretsmanager:GetSecretValue');
    for (const arn of Object.values(arns)) expect(read.filter((one) => fits(one, arn)).length, arn).toBe(1);
    const other = arns['prod/app']?.replace('prod/app', 'prod/application') ?? '';
    expect(read.filter((one) => fits(one, other))).toEqual([]);
    const [url] = (await moto.api<{ Parameters: { ARN: string }[] }>('ssm', 'GetParameters', { Names: ['/shop/url'] }))
      .Parameters;
    expect(allowing('ssm:GetParameter').filter((one) => fits(one, url?.ARN ?? '')).length).toBe(1);
    expect(allowing('ssm:GetParametersByPath')).toEqual([
      'arn:aws:ssm:eu-west-1:*:parameter/tree',
      'arn:aws:ssm:eu-west-1:*:parameter/tree/*',
    ]);
  });

  it('prints a policy for each identity when roles are assumed', async () => {
    const place = await scene.place();
    const [shop, audit] = ['shop', 'audit'].map((name) => `arn:aws:iam::123456789012:role/${name}`);
    const config = await place.config({
      backends: {
        aws: { kind: 'aws-secrets-manager', region: 'cn-north-1', failoverRegions: ['cn-northwest-1'], roleArn: shop },
      },
      secrets: { app: { secretId: 'prod/app' }, log: { secretId: 'log', roleArn: audit } },
    });
    const agent = await runAgent(['policy', '-c', config, '--json']);
    const policies = JSON.parse(agent.stdout()) as { for: string; policy: { Statement: readonly Statement[] } }[];
    const told = policies.map((one) => [
      one.for,
      one.policy.Statement.flatMap(({ Action, Resource }) => [Action, Resource]),
    ]);
    const reading = ['secretsmanager:GetSecretValue', 'secretsmanager:DescribeSecret'];
    const arnsOf = (name: string) =>
      ['cn-north-1', 'cn-northwest-1'].map((region) => `arn:aws-cn:secretsmanager:${region}:*:secret:${name}-??????`);
    expect(told).toEqual([
      ['the identity that the agent runs as', [['sts:AssumeRole'], [shop]]],
      [`the role ${shop}`, [reading, arnsOf('prod/app'), ['sts:AssumeRole'], [audit]]],
      [`the role ${audit}`, [reading, arnsOf('log')]],
    ]);
  });
});

describe('pannier doctor for AWS', () => {
  const env = { AWS_ACCESS_KEY_ID: 'AKIATEST', AWS_SECRET_ACCESS_KEY: 'made-up', AWS_EC2_METADATA_DISABLED: 'true' };
  const doctor = async (config: object, variables: Readonly<Record<string, string>> = env) => {
    const place = await scene.place();
    const agent = await runAgent(['doctor', '-c', await place.config(config), '--json'], { env: variables });
    const checks = JSON.parse(agent.stdout()) as {
      check: string;
      place: string;
      state: string;
      seen: string;
      code?: string;
    }[];
    return {
      status: agent.status,
      checks,
      first: checks.find(({ state }) => state === 'failure'),
      all: agent.stdout(),
    };
  };

  it('finds nothing wrong when all is well, and says who it is', async () => {
    const { status, checks, all } = await doctor(configured());
    // Nothing reads the secrets, so that the directory of no output is looked at.
    expect(checks.filter(({ state }) => state !== 'ok').map(({ code }) => code)).toEqual(['CONFIG_UNUSED']);
    expect(status).toBe(0);
    expect(checks.find(({ check }) => check === 'login')?.seen).toMatch(/^AWS knows the keys as arn:aws:sts::/);
    expect(checks.filter(({ check }) => check === 'secret').length).toBe(Object.keys(SECRETS).length);
    expect(all).not.toContain('hunter2');
  });

  it('assumes the roles that clients may name, and fetches nothing that they have not named', async () => {
    const roleArn = 'arn:aws:iam::123456789012:role/shared';
    const { dir } = await scene.place();
    const aws = { onDemand: true, allow: ['prod/*'], roleArns: [roleArn] };
    const { checks } = await doctor({ ...configured({}), api: { socket: join(dir, 'api.sock'), aws } });
    const ofAws = checks
      .filter(({ place }) => place.startsWith('api.aws'))
      .map(({ check, state, place, seen }) => {
        return { check, state, place, seen };
      });
    expect(ofAws).toEqual([
      {
        check: 'secret',
        state: 'skipped',
        place: 'api.aws',
        seen: expect.stringContaining('clients name the secrets'),
      },
      { check: 'role', state: 'ok', place: 'api.aws.roleArns', seen: `${roleArn} can be assumed` },
    ]);
  });

  it('names the cause first: no keys, keys that AWS does not know, a missing secret, an endpoint that is down', async () => {
    const none = await doctor(configured(), { AWS_EC2_METADATA_DISABLED: 'true' });
    expect(none.first).toMatchObject({ check: 'credential', code: 'AUTH_NO_CREDENTIALS' });
    expect(none.status).toBe(4);
    await moto.checkPolicies();
    const unknown = await doctor(configured());
    await moto.checkPolicies(false);
    expect(unknown.first).toMatchObject({ check: 'login', place: 'backends.aws', code: 'AUTH_DENIED' });
    const missing = await doctor(configured({ ...SECRETS, none: { secretId: 'prod/none' } }));
    expect(missing.first).toMatchObject({ check: 'secret', place: 'secrets.none.secretId', code: 'SECRET_NOT_FOUND' });
    const down = await doctor({
      ...configured(),
      backends: { aws: { kind: 'aws-secrets-manager', endpoint: 'http://127.0.0.1:1', region: moto.region } },
    });
    expect(down.first).toMatchObject({ check: 'connection', code: 'BACKEND_UNREACHABLE' });
  });
});
