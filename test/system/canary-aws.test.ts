import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { awsError, type Fault, startAwsProxy } from '../faults/aws-proxy.ts';
import { findFreePort, type Moto, startMoto } from '../servers/index.ts';
import { eventually, runAgent } from './agent.helpers.ts';
import { CANARY, filesWithCanary, LOUD_LOG, loudIn } from './canary.helpers.ts';
import { useScene } from './openbao.helpers.ts';

const scene = useScene();
let moto: Moto;
beforeAll(async () => {
  moto = await startMoto();
}, 300_000);
afterAll(() => moto.stop());

/** Where the agent is, without the service that machines of EC2 ask. */
const MACHINE = { AWS_REGION: 'eu-west-1', AWS_EC2_METADATA_DISABLED: 'true' };
const KEYS = {
  AWS_ACCESS_KEY_ID: 'AKIATEST',
  AWS_SECRET_ACCESS_KEY: `${CANARY}-secret-key`,
  AWS_SESSION_TOKEN: `${CANARY}-session`,
};

/** Files below `dir`, without those of the good output, that hold the canary. */
const straysIn = (dir: string) => filesWithCanary(dir).filter((path) => !/^good\/\.\.(g\d+|data)\//.test(path));

describe('no value and no key of AWS comes out anywhere but in the outputs', () => {
  it('with secrets, parameters, prefixes and roles, good and failing, and every debug switch on', async () => {
    const place = await scene.place();
    const { dir } = place;
    await moto.putSecret('canary/one', JSON.stringify({ password: `${CANARY}-1`, nul: `${CANARY}\0` }));
    await moto.putSecret('canary/broken', `{"password": "${CANARY}-2`);
    await moto.putSecret('canary/bytes', Buffer.from(`${CANARY}\xff`, 'latin1'));
    await moto.putSecret('gone', `${CANARY}-gone`);
    await moto.api('secretsmanager', 'DeleteSecret', { SecretId: 'gone' });
    await moto.putParameter('/canary/url', `${CANARY}-3`, 'SecureString');
    const roleArn = 'arn:aws:iam::123456789012:role/shop';
    const config = await place.config({
      log: LOUD_LOG,
      backends: { aws: { kind: 'aws-secrets-manager', endpoint: moto.address } },
      secrets: {
        one: { secretId: 'canary/one', refresh: '200ms' },
        broken: { secretId: 'canary/broken' },
        all: { prefix: 'canary/', refresh: '200ms' },
        url: { parameter: '/canary/url' },
        role: { secretId: 'canary/one', roleArn, refresh: '200ms' },
        gone: { secretId: 'gone', optional: true },
        missing: { secretId: 'none', optional: true },
      },
      outputs: {
        good: {
          dir: join(dir, 'good'),
          files: {
            'all.json': { format: 'json', from: ['one', 'broken', 'url', 'role'] },
            t: { content: '{{all.one.password}}' },
          },
        },
        bad: { dir: join(dir, 'bad'), files: { f: { content: '{{broken.password}}' } } },
        worse: { dir: join(dir, 'worse'), files: { f: { format: 'raw', from: 'all' } } },
      },
    });
    const env = { ...loudIn(dir), ...MACHINE, ...KEYS };
    const init = await scene.init(config, '20s', { env });
    expect(init.status).toBe(1);
    const agent = scene.run(config, { env });
    await agent.waitFor('output-unchanged', { fits: ({ output }) => output === 'good' });
    await moto.putSecret('canary/one', JSON.stringify({ password: `${CANARY}-4` }));
    await eventually(() => expect(readFileSync(join(dir, 'good/t'), 'utf8')).toBe(`${CANARY}-4`));
    await agent.stop();
    const said = init.output() + agent.output();
    expect(said).toContain('backend-answered');
    expect(said).not.toContain(CANARY);
    // Credentials of a session that was assumed, and a signing key.
    expect(said).not.toMatch(/ASIA[A-Z0-9]{8}|AWS4-HMAC|FQoGZ/);
    expect(straysIn(dir)).toEqual([]);
    expect(readdirSync(join(dir, 'tmp'))).toEqual([]);
  });

  it('with secrets and parameters that clients name, good and failing', async () => {
    await using proxy = await startAwsProxy(moto.address);
    const place = await scene.place();
    const { dir } = place;
    await moto.putSecret('named/db', JSON.stringify({ password: `${CANARY}-1` }));
    await moto.putSecret('named/bytes', Buffer.from(`${CANARY}\xff`, 'latin1'));
    await moto.putParameter('/named/url', `${CANARY}-2`);
    const token = `${CANARY}-token-of-the-clients`;
    writeFileSync(join(dir, 'token'), token, { mode: 0o600 });
    const port = await findFreePort();
    const aws = { onDemand: true, allow: ['named/*'], parameters: ['/named/*'], ttl: '0s' };
    const config = await place.config({
      log: LOUD_LOG,
      backends: { aws: { kind: 'aws-secrets-manager', endpoint: proxy.address } },
      api: {
        audit: 'all',
        listeners: [
          { listen: `127.0.0.1:${port}`, tokenFile: join(dir, 'token'), aws },
          { socket: join(dir, 'api.sock') },
        ],
      },
    });
    const agent = scene.run(config, { env: { ...loudIn(dir), ...MACHINE, ...KEYS } });
    await agent.waitFor('listener-opened', { count: 2 });
    const headers = { 'X-Aws-Parameters-Secrets-Token': token };
    const get = async (path: string) => {
      const answer = await fetch(`http://127.0.0.1:${port}${path}`, { headers });
      return await answer.text();
    };
    const paths = [
      '/v1/named/db',
      '/secretsmanager/get?secretId=named/bytes',
      '/systemsmanager/parameters/get?name=/named/url',
      // What clients write is as little for a log as what they read.
      `/v1/named/${CANARY}?versionStage=${CANARY}`,
      `/v1/${CANARY}?abc=${CANARY}`,
      `/secretsmanager/get?secretId=named/db&roleArn=arn:aws:iam::123456789012:role/${CANARY}`,
    ];
    const answers = [];
    for (const path of [...paths, ...paths]) answers.push(await get(path));
    expect(answers.filter((one) => one.includes(`${CANARY}-`)).length).toBeGreaterThanOrEqual(4);
    // The words of AWS are for the client that asked.
    proxy.fault(() => awsError('AccessDeniedException', 400, `User ${CANARY} is not authorized`));
    expect(await get('/v1/named/other')).toContain(CANARY);
    proxy.fault(() => ({ status: 200, body: `{"SecretString":"${CANARY}"}` }));
    for (const path of paths) await get(path);
    const status = await runAgent(['status', '--socket', join(dir, 'api.sock')]);
    await agent.stop();
    expect(agent.output()).toContain('read-on-demand');
    expect(agent.output() + status.output()).not.toContain(CANARY);
    expect(straysIn(dir)).toEqual(['token']);
  });

  it.each<[string, Fault]>([
    ['JSON cut off', { status: 200, body: `{"SecretString":"${CANARY}` }],
    ['HTML', { status: 200, body: `<html>${CANARY}</html>` }],
    ['another shape', { status: 200, body: `{"SecretString":["${CANARY}"],"ARN":7,"VersionId":{"${CANARY}":1}}` }],
    ['an error of a strange name', awsError(CANARY, 400, CANARY)],
    ['an error of a known name', awsError('ValidationException', 400, `1 validation error: ${CANARY}`)],
    ['a denial', awsError('AccessDeniedException', 400, `User ${CANARY} is not authorized`)],
    ['500 with HTML', { status: 500, body: `<html>${CANARY}</html>` }],
    ['a strange Retry-After', awsError('ThrottlingException', 400, CANARY, { 'retry-after': CANARY })],
    ['a strange date', awsError('InvalidSignatureException', 400, CANARY, { date: CANARY })],
    ['a redirect', { status: 301, body: CANARY, headers: { location: `http://127.0.0.1:1/${CANARY}` } }],
  ])('when AWS answers %s', async (_, fault) => {
    await using proxy = await startAwsProxy(moto.address);
    proxy.fault(() => fault);
    const place = await scene.place();
    const { dir } = place;
    writeFileSync(join(dir, 'token'), `${CANARY}.jwt.x`);
    const config = await place.config({
      log: LOUD_LOG,
      backends: { aws: { kind: 'aws-secrets-manager', endpoint: proxy.address } },
      secrets: {
        a: { secretId: 'a' },
        b: { parameter: '/b' },
        c: { prefix: 'c/' },
        d: { secretId: 'd', previous: true },
      },
      outputs: { o: { dir: join(dir, 'o'), files: { f: { format: 'json', from: ['a', 'b', 'c', 'd'] } } } },
    });
    const init = await scene.init(config, '1500ms', { env: { ...loudIn(dir), ...MACHINE, ...KEYS } });
    expect(proxy.calls.some(({ headers }) => headers['x-amz-security-token'] === `${CANARY}-session`)).toBe(true);
    expect(init.status).toBeGreaterThan(0);
    expect(init.stderr()).toContain('init: ');
    expect(init.output()).not.toContain(CANARY);
    const irsa = {
      ...loudIn(dir),
      ...MACHINE,
      AWS_WEB_IDENTITY_TOKEN_FILE: join(dir, 'token'),
      AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/irsa',
    };
    const other = await scene.init(config, '1500ms', { env: irsa });
    expect(proxy.calls.some(({ body }) => body.includes(`${CANARY}.jwt`))).toBe(true);
    expect(other.output()).not.toContain(CANARY);
    expect(straysIn(dir).filter((path) => path !== 'token')).toEqual([]);
  });
});
