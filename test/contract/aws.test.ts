import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { openAwsBackend } from '../../src/backend/aws/open.ts';
import { systemClock } from '../../src/base/clock.ts';
import { Secret } from '../../src/base/secret.ts';
import { awsConfig, secret } from '../backend/aws/source/aws.helpers.ts';
import { type AwsProxy, awsError, startAwsProxy } from '../faults/aws-proxy.ts';
import { type AwsUser, type Moto, startMoto } from '../servers/index.ts';
import { describeContract } from './contract.ts';

let moto: Moto;
let proxy: AwsProxy;
/** Keys of a user who may read nothing; moto checks that after `checkPolicies`. */
let user: AwsUser;

beforeAll(async () => {
  moto = await startMoto();
  proxy = await startAwsProxy(moto.address);
  user = await makeUser();
}, 300_000);
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await moto.stop();
});

const makeUser = () =>
  moto.user('shop', { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 's3:*', Resource: '*' }] });

describeContract({
  name: 'aws-secrets-manager, on moto',
  cannot: {},
  async open() {
    const folder = `contract-${randomUUID()}`;
    const dir = await mkdtemp(join(tmpdir(), 'pannier-contract-'));
    const base = awsConfig(proxy.address, dir, { timeoutMs: 1_000 });
    const keys = { accessKeyId: user.accessKeyId, secretAccessKey: Secret.text(user.secretAccessKey) };
    const context = { clock: systemClock, random: Math.random, emit: () => {}, env: {}, version: '0', kept: new Map() };
    const backend = openAwsBackend({ ...base, sources: { ...base.sources, keys } }, context);
    const idOf = (name: string) => `${folder}/${name}`;
    return {
      backend,
      want: (name) => ({
        id: name,
        backend: 'aws',
        request: secret(idOf(name)),
        place: `secrets.${name}.secretId`,
        refreshMs: 300_000,
        optional: false,
      }),
      async put(name, value) {
        // A secret that is scheduled for deletion takes no new value.
        await moto.api('secretsmanager', 'RestoreSecret', { SecretId: idOf(name) }).catch(() => undefined);
        await moto.putSecret(idOf(name), typeof value === 'string' ? JSON.stringify({ password: value }) : value);
      },
      valueOf: (fields) => fields.get('password') ?? fields.get('value'),
      remove: async (name) => void (await moto.api('secretsmanager', 'DeleteSecret', { SecretId: idOf(name) })),
      refuse: () => moto.checkPolicies(),
      // moto has no rate limits, so the proxy throttles.
      throttle: async () => proxy.fault(() => awsError('ThrottlingException', 400, '', { 'retry-after': '1' })),
      stall: () => moto.suspend(),
      kill: () => moto.kill(),
      async start() {
        await moto.start();
        user = await makeUser();
      },
      async heal() {
        moto.resume();
        proxy.fault(undefined);
        await moto.checkPolicies(false);
      },
      async [Symbol.asyncDispose]() {
        moto.resume();
        await backend[Symbol.asyncDispose]();
        await rm(dir, { recursive: true });
      },
    };
  },
});
