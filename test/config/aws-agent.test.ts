import { describe, expect, it } from 'vitest';
import { BAO, briefly, loadWith } from './config.helpers.ts';

const AWS = { kind: 'aws-secrets-manager', region: 'eu-west-1' };
const tcp = { listen: '127.0.0.1:2773', tokenFile: '/run/token' };
const withAws = (aws: unknown, more: object = {}, backends: object = { aws: AWS }) => ({
  backends,
  secrets: {},
  api: { ...tcp, aws, ...more },
});
const onDemand = { onDemand: true, allow: ['prod/*'] };

describe('the key aws of a listener', () => {
  it('has the defaults of the AWS agent, and reads nothing on demand unless it is asked to', async () => {
    const { api } = await loadWith(withAws({}));
    const [listener] = api?.listeners ?? [];
    expect(listener).toMatchObject({ maxConnections: 800, control: false });
    expect(listener?.aws).toEqual({
      pathPrefix: '/v1/',
      tokenHeaders: ['x-aws-parameters-secrets-token', 'x-vault-token'],
    });
  });

  it('reads on demand by the only backend of AWS, within the rules that are given', async () => {
    const { api } = await loadWith(withAws(onDemand, {}, { bao: BAO, aws: AWS }));
    expect(api?.listeners[0]?.aws?.onDemand).toEqual({
      backend: 'aws',
      allow: ['prod/*'],
      roleArns: [],
      ttlMs: 300_000,
      maxEntries: 1_000,
      maxStaleMs: 86_400_000,
      place: 'api.aws',
    });
    const role = 'arn:aws:iam::123456789012:role/r';
    const listeners = [
      { socket: '/run/a' },
      {
        ...tcp,
        aws: {
          ...onDemand,
          backend: 'two',
          parameters: ['/p/*'],
          roleArns: [role],
          ttl: '0s',
          maxEntries: 5,
          maxStale: '1h',
          pathPrefix: '/aws/',
          tokenHeaders: ['X-My-Token'],
        },
      },
    ];
    const other = await loadWith({ backends: { one: AWS, two: AWS }, secrets: {}, api: { listeners } });
    expect(other.api?.listeners[1]?.aws).toEqual({
      pathPrefix: '/aws/',
      tokenHeaders: ['x-my-token'],
      onDemand: {
        backend: 'two',
        allow: ['prod/*'],
        parameters: ['/p/*'],
        roleArns: [role],
        ttlMs: 0,
        maxEntries: 5,
        maxStaleMs: 3_600_000,
        place: 'api.listeners[1].aws',
      },
    });
  });

  it.each<[string, object, ...string[]]>([
    ['names that nobody allowed', withAws({ onDemand: true }), 'CONFIG_MISSING api.aws.allow'],
    ['empty lists', withAws({ onDemand: true, allow: [], parameters: [] }), 'CONFIG_MISSING api.aws.allow'],
    [
      'rules without onDemand',
      withAws({ allow: ['*'], ttl: '1s', roleArns: [] }),
      'CONFIG_INVALID api.aws.allow',
      'CONFIG_INVALID api.aws.roleArns',
      'CONFIG_INVALID api.aws.ttl',
    ],
    ['a question mark', withAws({ onDemand: true, allow: ['a', 'b-??????'] }), 'CONFIG_INVALID api.aws.allow[1]'],
    ['a role that is no ARN', withAws({ ...onDemand, roleArns: ['shared'] }), 'CONFIG_INVALID api.aws.roleArns[0]'],
    ['no backend of AWS', withAws(onDemand, {}, { bao: BAO }), 'CONFIG_MISSING api.aws.backend'],
    ['two of them', withAws(onDemand, {}, { one: AWS, two: AWS }), 'CONFIG_MISSING api.aws.backend'],
    ['an unknown one', withAws({ ...onDemand, backend: 'awz' }), 'CONFIG_UNKNOWN_BACKEND api.aws.backend'],
    [
      'one of another kind',
      withAws({ ...onDemand, backend: 'bao' }, {}, { bao: BAO, aws: AWS }),
      'CONFIG_INVALID api.aws.backend',
    ],
    ['a prefix that is no path', withAws({ pathPrefix: 'v1/' }), 'CONFIG_INVALID api.aws.pathPrefix'],
    ['a prefix with a query', withAws({ pathPrefix: '/v1?' }), 'CONFIG_INVALID api.aws.pathPrefix'],
    ['a header with a space', withAws({ tokenHeaders: ['X Token'] }), 'CONFIG_INVALID api.aws.tokenHeaders[0]'],
    ['no header', withAws({ tokenHeaders: [] }), 'CONFIG_INVALID api.aws.tokenHeaders'],
    ['the right to stop the agent', withAws({}, { control: true }), 'CONFIG_INVALID api.control'],
    ['a number for a duration', withAws({ ...onDemand, ttl: 300 }), 'CONFIG_INVALID api.aws.ttl'],
    ['too many entries', withAws({ ...onDemand, maxEntries: 10_001 }), 'CONFIG_INVALID api.aws.maxEntries'],
    ['a misspelt key', withAws({ ondemand: true }), 'CONFIG_UNKNOWN_KEY api.aws.ondemand'],
    ['no token over TCP', withAws({}, { tokenFile: undefined }), 'CONFIG_MISSING api.tokenFile'],
    [
      'a list and aws beside it',
      { backends: { aws: AWS }, secrets: {}, api: { aws: {}, listeners: [tcp] } },
      'CONFIG_INVALID api.aws',
    ],
  ])('is refused with %s', async (_, config, ...wanted) => {
    expect(await briefly(loadWith(config))).toEqual(wanted);
  });
});
