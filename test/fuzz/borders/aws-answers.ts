import { inspect } from 'node:util';
import * as fc from 'fast-check';
import type { AwsBackendConfig } from '../../../src/backend/aws/config/config.ts';
import type { AwsRequest } from '../../../src/backend/aws/config/request.ts';
import { openAwsBackend } from '../../../src/backend/aws/open.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { PannierError } from '../../../src/base/errors.ts';
import type { Fact } from '../../../src/base/fact.ts';
import { Secret } from '../../../src/base/secret.ts';
import { createPlace } from '../../system/agent.helpers.ts';
import { type Border, CANARY, failuresIn } from '../border.ts';
import { json } from '../inputs.ts';
import { httpAnswer, startRawServer } from '../raw-server.ts';

const NAMES = [
  'SecretString',
  'SecretBinary',
  'VersionId',
  'VersionStages',
  'ARN',
  'Name',
  'CreatedDate',
  'SecretValues',
  'SecretList',
  'Errors',
  'SecretId',
  'ErrorCode',
  'NextToken',
  'Parameter',
  'Parameters',
  'Value',
  'Type',
  'Version',
  'LastModifiedDate',
  'InvalidParameters',
  'RotationEnabled',
  'NextRotationDate',
  'RotationRules',
  '__type',
  'Message',
  'message',
];

const GOOD = [
  { ARN: 'arn:aws:x', Name: 'app', VersionId: 'v1', SecretString: `{"a":"${CANARY}"}`, VersionStages: ['AWSCURRENT'] },
  { ARN: 'arn:aws:x', Name: 'app', VersionId: 'v1', SecretBinary: Buffer.from(CANARY).toString('base64') },
  { SecretValues: [{ ARN: 'arn:aws:x', Name: 'app', VersionId: 'v1', SecretString: CANARY }], Errors: [] },
  { SecretList: [{ ARN: 'arn:aws:x', Name: 'shop/a' }], NextToken: 'x' },
  { Parameter: { Name: '/app', Type: 'SecureString', Value: CANARY, Version: 3 } },
  { Parameters: [{ Name: '/app/a', Type: 'String', Value: CANARY, Version: 3 }], NextToken: 'x' },
  { __type: 'ResourceNotFoundException', Message: CANARY },
  { __type: 'ThrottlingException', message: CANARY },
  { __type: 'AccessDeniedException', Message: `User ${CANARY} is not authorized` },
  { __type: `${CANARY}Exception`, Message: 'x' },
];

const REQUESTS: readonly AwsRequest[] = [
  { kind: 'aws-secret', secretId: 'app' },
  { kind: 'aws-secret', secretId: 'app', previous: true, pending: true },
  { kind: 'aws-prefix', prefix: 'shop/' },
  { kind: 'aws-parameter', name: '/app' },
  { kind: 'aws-parameters', path: '/app/' },
];

/** What AWS, or whoever sits in its place, answers. */
export const awsAnswers: Border<{ readonly what: number; readonly answers: readonly Buffer[] }> = {
  name: 'answers of AWS',
  share: 4_000,
  async open() {
    const server = await startRawServer();
    const place = await createPlace();
    const endpoint = server.address;
    const config: AwsBackendConfig = {
      kind: 'aws-secrets-manager',
      name: 'aws',
      region: 'eu-west-1',
      failoverRegions: [],
      endpoints: { secretsManager: endpoint, ssm: endpoint, sts: endpoint },
      roleSessionName: 'pannier',
      timeoutMs: 300,
      sources: {
        keys: { accessKeyId: 'AKIATEST', secretAccessKey: Secret.text(CANARY) },
        profile: 'default',
        isProfileNamed: false,
        credentialsFile: `${place.dir}/credentials`,
        configFile: `${place.dir}/config`,
      },
    };
    const body = fc.oneof(json(NAMES), fc.constantFrom(...GOOD));
    const types = ['x-amzn-ErrorType: ResourceNotFoundException', `x-amzn-ErrorType: ${CANARY}`];
    return {
      inputs: fc.record({
        what: fc.nat(REQUESTS.length - 1),
        answers: fc.array(httpAnswer(body, types), { minLength: 1, maxLength: 3 }),
      }),
      async feed({ answers, what }) {
        server.answers = answers;
        const facts: Fact[] = [];
        const emit = (fact: Fact) => void facts.push(fact);
        const context = { clock: systemClock, random: () => 0.5, emit, env: {}, version: '0', kept: new Map() };
        await using backend = openAwsBackend(config, context);
        const request = REQUESTS[what] as AwsRequest;
        const want = { id: 'a', backend: 'aws', request, place: 'secrets.a', refreshMs: 300_000, optional: false };
        const said: unknown[] = [];
        try {
          // A listing whose every page names another one has no end by itself.
          said.push(inspect(await backend.source.fetch(want, undefined, AbortSignal.timeout(3_000)), { depth: 9 }));
        } catch (error) {
          if (!(error instanceof PannierError)) throw error;
          said.push(error.failure, error.message);
        }
        return [...said, ...facts, ...failuresIn(facts)];
      },
      async [Symbol.asyncDispose]() {
        await server[Symbol.asyncDispose]();
        await place[Symbol.asyncDispose]();
      },
    };
  },
};
