import type { Policy, PolicyRule, PolicyUse } from '../policy.ts';
import type { AwsBackendConfig } from './config/config.ts';
import type { AwsRequest, AwsRole } from './config/request.ts';

/** What one identity asks for, before it is put together by action. */
interface Need {
  readonly actions: readonly string[];
  readonly on: readonly string[];
  readonly why: string;
}

/**
 * The IAM policies of one backend: one for the identity that the agent runs as, and one for each role that it assumes.
 * The account is not known without asking AWS, so ARNs that the configuration does not write have `*` for it.
 */
export async function policiesFor({ config, secrets }: PolicyUse<AwsBackendConfig>): Promise<readonly Policy[]> {
  const requests = secrets.map(({ place, request }) => ({ place, request: request as AwsRequest }));
  const byRole = new Map<string, Asked[]>();
  for (const one of requests) {
    const role = (one.request as AwsRole).roleArn ?? config.roleArn ?? '';
    byRole.set(role, [...(byRole.get(role) ?? []), one]);
  }
  const own = byRole.get('') ?? [];
  byRole.delete('');
  const ofRoles = [...new Set(byRole.keys())];
  // A role of one secret is assumed with the role of the backend, when that has one.
  const first = config.roleArn;
  const base = first === undefined ? ofRoles : [first];
  const assumed = first === undefined ? [] : ofRoles.filter((role) => role !== first);
  const chain = [...needsOf(config, own), ...assumeNeeds(base)];
  const policies = chain.length === 0 ? [] : [make(config, 'the identity that the agent runs as', chain)];
  if (first !== undefined && !byRole.has(first)) byRole.set(first, []);
  for (const [role, asked] of byRole) {
    const more = role === first ? assumeNeeds(assumed) : [];
    policies.push(make(config, `the role ${role}`, [...needsOf(config, asked), ...more]));
  }
  return policies;
}

const assumeNeeds = (roles: readonly string[]): readonly Need[] =>
  roles.length === 0 ? [] : [{ actions: ['sts:AssumeRole'], on: roles, why: 'roleArn' }];

function needsOf(config: AwsBackendConfig, asked: readonly Asked[]): readonly Need[] {
  const regions = [config.region ?? '*', ...config.failoverRegions];
  const count = (kind: AwsRequest['kind']) => asked.filter(({ request }) => request.kind === kind).length;
  const isBatched = count('aws-secret') > 1 || count('aws-prefix') > 0;
  const batch = { actions: ['secretsmanager:BatchGetSecretValue'], on: ['*'], why: 'many secrets in one call' };
  const many = { regions, areParametersBatched: count('aws-parameter') > 1 };
  return [...asked.flatMap((one) => needsOfOne(one, many)), ...(isBatched ? [batch] : [])];
}

interface Asked {
  readonly place: string;
  readonly request: AwsRequest;
}

function needsOfOne(
  { place: why, request }: Asked,
  { regions, areParametersBatched }: { readonly regions: readonly string[]; readonly areParametersBatched: boolean },
): readonly Need[] {
  const [home = '*'] = regions; // Parameter Store has no replicas
  switch (request.kind) {
    case 'aws-secret': {
      const on = regions.flatMap((region) => secretArns(request.secretId, region));
      return [{ actions: ['secretsmanager:GetSecretValue', 'secretsmanager:DescribeSecret'], on, why }];
    }
    case 'aws-prefix': {
      const on = regions.map((region) => arn('secretsmanager', region, `secret:${request.prefix}*`));
      return [
        { actions: ['secretsmanager:GetSecretValue'], on, why },
        { actions: ['secretsmanager:ListSecrets'], on: ['*'], why },
      ];
    }
    case 'aws-parameter': {
      const actions = ['ssm:GetParameter', ...(areParametersBatched ? ['ssm:GetParameters'] : [])];
      return [{ actions, on: [parameterArn(request.name, home)], why }];
    }
    case 'aws-on-demand': {
      const actions = ['secretsmanager:GetSecretValue', 'secretsmanager:DescribeSecret'];
      const on = regions.flatMap((region) => request.secrets.flatMap((id) => secretArns(id, region)));
      const parameters = request.parameters.map((name) => parameterArn(name, home));
      return [
        ...(on.length === 0 ? [] : [{ actions, on, why }]),
        ...(parameters.length === 0 ? [] : [{ actions: ['ssm:GetParameter'], on: parameters, why }]),
      ];
    }
    case 'aws-parameters': {
      const path = request.path.replace(/\/$/, '');
      return [
        { actions: ['ssm:GetParametersByPath'], on: [path, `${path}/*`].map((one) => parameterArn(one, home)), why },
      ];
    }
  }
}

/** Names get six random characters; an ARN may be written with them or without. */
function secretArns(secretId: string, region: string): readonly string[] {
  if (!secretId.startsWith('arn:')) return [arn('secretsmanager', region, `secret:${secretId}-??????`)];
  const [, partition, , , account, ...name] = secretId.split(':');
  const here = `arn:${partition}:secretsmanager:${region === '*' ? secretId.split(':')[3] : region}:${account}:${name.join(':')}`;
  return [here, `${here}-??????`];
}

function parameterArn(name: string, region: string): string {
  if (name.startsWith('arn:')) return name.replace(/^(arn:[^:]*:[^:]*:[^:]*:[^:]*:[^:]*):.*$/, '$1');
  const [base = ''] = name.split(':');
  return arn('ssm', region, `parameter/${base.replace(/^\//, '')}`);
}

function arn(service: string, region: string, rest: string): string {
  const partition = region.startsWith('cn-') ? 'aws-cn' : region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws';
  return `arn:${partition}:${service}:${region}:*:${rest}`;
}

function make({ name }: AwsBackendConfig, who: string, needs: readonly Need[]): Policy {
  const rules = rulesOf(needs);
  const Statement = rules.map(({ allows, on }) => ({ Effect: 'Allow', Action: allows, Resource: on }));
  const text = `${JSON.stringify({ Version: '2012-10-17', Statement }, null, 2)}\n`;
  const isMarked = rules.some(({ on }) => on.some((one) => one.includes(':*:')));
  const notes = [
    ...(isMarked ? ['ARNs have * for the account: write its number'] : []),
    ...(needs.length === 0 || rules.every(({ allows }) => allows.join() === 'sts:AssumeRole')
      ? []
      : ['a secret or parameter under a KMS key of your own takes kms:Decrypt on that key too']),
    ...(who.startsWith('the role') ? ['the trust policy of the role must let the agent assume it'] : []),
  ];
  return { kind: 'iam', backend: name, who, text, rules, notes };
}

/** One rule for equal actions. */
function rulesOf(needs: readonly Need[]): readonly PolicyRule[] {
  const byActions = new Map<string, { allows: readonly string[]; on: Set<string>; why: Set<string> }>();
  for (const { actions, on, why } of needs) {
    const isAll = on.length === 1 && on[0] === '*';
    const key = `${actions.join()} ${isAll}`;
    const rule = byActions.get(key) ?? { allows: actions, on: new Set(), why: new Set() };
    byActions.set(key, rule);
    for (const one of on) rule.on.add(one);
    rule.why.add(why);
  }
  return [...byActions.values()].map(({ allows, on, why }) => ({ allows, on: [...on], why: [...why] }));
}
