import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AwsProxy, awsError, startAwsProxy } from '../faults/aws-proxy.ts';
import { findFreePort, type Moto, startMoto } from '../servers/index.ts';
import { ServerProcess } from '../servers/server-process.ts';
import { eventually, runAgent } from './agent.helpers.ts';
import {
  AT_THE_END_OF_THE_TTL,
  putSecrets,
  ROLE,
  SEQUENCE,
  type Step,
  send,
  TOKEN,
  withoutDate,
} from './aws-agent.helpers.ts';
import { useScene } from './openbao.helpers.ts';

const scene = useScene();
let moto: Moto;
beforeAll(async () => {
  moto = await startMoto();
}, 300_000);
afterAll(() => moto.stop());

const KEYS = { AWS_ACCESS_KEY_ID: 'AKIATEST', AWS_SECRET_ACCESS_KEY: 'made-up', AWS_EC2_METADATA_DISABLED: 'true' };

/** Starts an agent with one listener that speaks AWS's protocol. Resolves to its port. */
async function startOurs(endpoint: string, aws: object = {}, more: object = {}) {
  const place = await scene.place();
  const port = await findFreePort();
  const tokenFile = join(place.dir, 'token');
  writeFileSync(tokenFile, TOKEN, { mode: 0o600 });
  const config = await place.config({
    backends: { aws: { kind: 'aws-secrets-manager', endpoint, region: moto.region } },
    api: { listen: `127.0.0.1:${port}`, tokenFile, aws: { onDemand: true, allow: ['*'], roleArns: [ROLE], ...aws } },
    ...more,
  });
  const agent = scene.run(config, { env: KEYS });
  await agent.waitFor('listener-opened');
  return { agent, port, place };
}

/** Starts the AWS agent whose path AWS_AGENT holds, to compare the sequence with it. */
async function startTheirs(program: string, endpoint: string, ttlSeconds: number) {
  const { dir } = await scene.place();
  const port = await findFreePort();
  const config = join(dir, 'config.toml');
  writeFileSync(config, `log_to_file = false\nhttp_port = "${port}"\nttl_seconds = "${ttlSeconds}"\n`);
  const args = program.endsWith('provider') ? ['sm', 'start', '--config', config] : ['--config', config];
  const env = {
    ...KEYS,
    AWS_REGION: moto.region,
    AWS_TOKEN: TOKEN,
    AWS_ENDPOINT_URL: endpoint,
    AWS_SESSION_TOKEN: 's',
  };
  const logFile = join(dir, 'log');
  const theirs = new ServerProcess({
    name: 'AWS agent',
    command: program,
    args,
    env,
    logFile,
    dir,
    endSignal: 'SIGKILL',
  });
  scene.keep({ [Symbol.asyncDispose]: () => theirs.end('SIGKILL') });
  await eventually(() => send(port, {}, '/ping'));
  return { port };
}

/** Starts the agent under test, sends the steps, and compares all answers at once. */
async function walk(steps: readonly Step[], ttlSeconds: number): Promise<void> {
  const known = await putSecrets(moto);
  await using proxy: AwsProxy = await startAwsProxy(moto.address);
  const program = process.env['AWS_AGENT'];
  const { port } =
    program === undefined
      ? await startOurs(proxy.address, { ttl: `${ttlSeconds}s` })
      : await startTheirs(program, proxy.address, ttlSeconds);
  const answers: (readonly unknown[])[] = [];
  const wanted: (readonly unknown[])[] = [];
  for (const step of steps) {
    await step.before?.(moto, proxy, known);
    proxy.clear();
    const path = typeof step.path === 'string' ? step.path : step.path(known);
    const { status, body, headers } = await send(port, step, path);
    const calls = [...new Set(proxy.calls.map(({ operation }) => operation))];
    answers.push([step.title, status, withoutDate(body), headers['content-length'], step.calls && calls]);
    const text = typeof step.wanted === 'string' ? step.wanted : step.wanted(known);
    wanted.push([step.title, step.status, text, String(Buffer.byteLength(body)), step.calls]);
  }
  expect(answers).toEqual(wanted);
}

describe('in the place of the AWS agent', () => {
  it('a recorded sequence of requests is answered as it does', async () => {
    expect(SEQUENCE.length).toBeGreaterThanOrEqual(40);
    await walk(SEQUENCE, 300);
  }, 120_000);

  it('at the end of the ttl it asks whether the version is still current, and keeps the value while AWS is down', async () => {
    await walk(AT_THE_END_OF_THE_TTL, 0);
  }, 120_000);
});

describe('what clients name', () => {
  const ask = async (port: number, path: string) => {
    const { status, body } = await send(port, {}, path);
    return [status, body.startsWith('{') ? (JSON.parse(body) as Record<string, unknown>) : body] as const;
  };
  const get = (port: number, id: string) => ask(port, `/secretsmanager/get?secretId=${id}`);
  const denied = [400, { __type: 'AccessDeniedException' }] as const;

  it('is read only where allow, parameters and roleArns name it, and nothing is sent for anything else', async () => {
    await moto.putSecret('allowed/db', 'value-1');
    const { ARN } = await moto.putSecret('other/db', 'value-2');
    await moto.putSecret('allowed/db-AbCdEf', 'value-3');
    await using proxy = await startAwsProxy(moto.address);
    const { port } = await startOurs(proxy.address, { allow: ['allowed/db'], parameters: ['/allowed/*'] });
    for (const id of ['other/db', ARN, ARN.slice(0, -7), 'allowed/db2', 'allowed/../other/db', '%2A', '*']) {
      expect([id, ...(await get(port, id))]).toMatchObject([id, ...denied]);
    }
    expect(await ask(port, '/v1/other/db')).toMatchObject(denied);
    expect(await ask(port, '/systemsmanager/parameters/get?name=/other/url')).toMatchObject(denied);
    const other = ROLE.replace('shared', 'admin');
    expect(await get(port, `allowed/db&roleArn=${other}`)).toEqual([
      403,
      { __type: 'AccessDeniedException', message: `Failed to create caching client from role: ${other}` },
    ]);
    expect(proxy.calls).toEqual([]);
    expect(await get(port, 'allowed/db')).toMatchObject([200, { SecretString: 'value-1' }]);
    // As an ARN without its end it may mean an allowed secret, so AWS is asked: the name in the answer decides.
    const longer = ARN.replace(/secret:.*/, 'secret:allowed/db-AbCdEf');
    expect(await get(port, longer)).toMatchObject([400, { __type: 'ResourceNotFoundException' }]);
    expect(proxy.count('GetSecretValue')).toBe(2);
  });

  it('is not read without onDemand, where configured secrets alone are answered, those of every backend', async () => {
    const { ARN } = await moto.putSecret('shop/db', 'plain');
    const { dir } = await scene.place();
    const file = join(dir, 'secrets.json');
    writeFileSync(file, '{"local":{"password":"1"}}', { mode: 0o600 });
    const { port, agent } = await startOurs(
      moto.address,
      { onDemand: undefined, allow: undefined, roleArns: undefined },
      {
        backends: {
          aws: { kind: 'aws-secrets-manager', endpoint: moto.address, region: moto.region },
          demo: { kind: 'file', path: file },
        },
        secrets: { db: { backend: 'aws', secretId: 'shop/db' }, local: { backend: 'demo', key: 'local' } },
      },
    );
    await agent.waitFor('secret-changed', { count: 2 });
    expect(await get(port, 'shop/db')).toMatchObject([200, { ARN, SecretString: 'plain' }]);
    expect(await ask(port, '/v1/local')).toMatchObject([200, { Name: 'local', SecretString: '{"password":"1"}' }]);
    const gone = { __type: 'ResourceNotFoundException', message: "Secrets Manager can't find the specified secret." };
    expect(await get(port, 'allowed/db')).toEqual([400, gone]);
    expect(await get(port, 'shop/db&versionStage=AWSPREVIOUS')).toEqual([400, gone]);
    expect((await get(port, `shop/db&roleArn=${ROLE}`))[0]).toBe(403);
    expect(await ask(port, '/systemsmanager/parameters/get?name=x')).toEqual([404, 'Not found']);
  });

  it('parameters are answered as the Lambda extension does', async () => {
    await moto.putParameter('/shop/url', 'https://1');
    await moto.putParameter('/shop/url', 'https://2');
    await moto.putParameter('/shop/key', 'k', 'SecureString');
    await using proxy = await startAwsProxy(moto.address);
    const { port } = await startOurs(proxy.address, { allow: undefined, parameters: ['/shop/*'] });
    const path = '/systemsmanager/parameters/get';
    const url = {
      Parameter: {
        ARN: expect.stringMatching(/:parameter\/shop\/url$/),
        DataType: 'text',
        LastModifiedDate: expect.stringMatching(/^20.*\dZ$/),
        Name: '/shop/url',
        Selector: null,
        SourceResult: null,
        Type: 'String',
        Value: 'https://2',
        Version: 2,
      },
      ResultMetadata: {},
    };
    expect(await ask(port, `${path}?name=%2Fshop%2Furl`)).toEqual([200, url]);
    expect(await ask(port, `${path}/?name=/shop/url`)).toEqual([200, url]);
    expect(proxy.count('GetParameter')).toBe(1);
    expect(await ask(port, `${path}?name=/shop/url&version=1`)).toMatchObject([
      200,
      { Parameter: { Value: 'https://1' } },
    ]);
    expect(await ask(port, `${path}?name=/shop/key&withDecryption=true`)).toMatchObject([
      200,
      { Parameter: { Value: 'k', Type: 'SecureString' } },
    ]);
    const sealed = await ask(port, `${path}?name=/shop/key`);
    expect(JSON.stringify(sealed[1])).toContain('kms:');
    expect(await ask(port, `${path}?name=/shop/none`)).toMatchObject([400, { __type: 'ParameterNotFound' }]);
    expect(await get(port, 'allowed/db')).toMatchObject(denied);
  });

  it('is asked for again while AWS is busy, and answered from before when it stays busy', async () => {
    await moto.putSecret('busy', '1');
    await using proxy = await startAwsProxy(moto.address);
    const { port } = await startOurs(proxy.address, { ttl: '0s' });
    let left = 1;
    proxy.fault(() => (left-- > 0 ? awsError('ThrottlingException', 400, 'Rate exceeded') : undefined));
    expect(await get(port, 'busy')).toMatchObject([200, { SecretString: '1' }]);
    proxy.fault(() => awsError('ThrottlingException', 400, 'Rate exceeded'));
    expect(await get(port, 'busy')).toMatchObject([200, { SecretString: '1' }]);
  });

  it('a role that cannot be assumed is refused as that agent does, and a missing policy as AWS says', async () => {
    await moto.putSecret('roles', '1');
    await using proxy = await startAwsProxy(moto.address);
    const { port } = await startOurs(proxy.address);
    proxy.fault(({ operation }) => (operation === 'AssumeRole' ? awsError('AccessDenied', 403, 'no') : undefined));
    const refused = { __type: 'AccessDeniedException', message: `Failed to create caching client from role: ${ROLE}` };
    expect(await get(port, `roles&roleArn=${ROLE}`)).toEqual([403, refused]);
    expect(await get(port, 'roles')).toMatchObject([200, { SecretString: '1' }]);
  });

  it('is audited by its name at AWS, counted in status and metrics, and kept when the configuration is read again', async () => {
    const { ARN, VersionId } = await moto.putSecret('audited/db', 'v4lue');
    await using proxy = await startAwsProxy(moto.address);
    const socket = (dir: string) => join(dir, 'api.sock');
    const { dir } = await scene.place();
    const port = await findFreePort();
    writeFileSync(join(dir, 'token'), TOKEN, { mode: 0o600 });
    const listen = { listen: `127.0.0.1:${port}`, tokenFile: join(dir, 'token') };
    const place = await scene.place();
    const config = await place.config({
      backends: { aws: { kind: 'aws-secrets-manager', endpoint: proxy.address, region: moto.region } },
      api: { listeners: [{ ...listen, aws: { onDemand: true, allow: ['audited/*'] } }, { socket: socket(place.dir) }] },
    });
    const agent = scene.run(config, { env: KEYS });
    await agent.waitFor('listener-opened', { count: 2 });
    for (const id of ['audited/db', ARN, 'audited/db', 'audited/none', 'other']) await get(port, id);
    agent.kill('SIGHUP');
    await agent.waitFor('config-applied');
    await get(port, 'audited/db');
    expect(proxy.count('GetSecretValue')).toBe(3);
    const audits = agent.facts('api-audit').map(({ action, outcome, secret, version, code, where }) => {
      return { action, outcome, secret, version, code, where };
    });
    const where = `127.0.0.1:${port}`;
    const done = { action: 'read-on-demand', outcome: 'done', secret: 'audited/db', version: VersionId, where };
    expect(audits).toMatchObject([
      done,
      done,
      { action: 'read-on-demand', outcome: 'failed', code: 'SECRET_NOT_FOUND', where },
      { action: 'read-on-demand', outcome: 'refused', code: 'SECRET_DENIED', where },
    ]);
    const status = await runAgent(['status', '--socket', socket(place.dir)]);
    expect(status.stdout()).toMatch(
      /READ ON DEMAND BY +VALUES +AT MOST +REQUESTS\n127\.0\.0\.1:\d+ +2 +1000 +2 fetched, 2 cached, 1 failed, 1 refused/,
    );
    expect(status.stdout()).not.toContain('audited');
    expect(agent.output()).not.toContain('v4lue');
  });
});
