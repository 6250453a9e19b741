import { isAwsSecretRequest } from '../../backend/aws/config/request.ts';
import type { SecretConfig } from '../../config/config.ts';

/** A request of a client of the AWS agent. */
export interface AwsAgentRequest {
  /** A name or ARN of Secrets Manager, or the configured name of a secret. */
  readonly secretId: string;
  /** Absent: any stage when `versionId` is given, otherwise AWSCURRENT. */
  readonly stage?: string;
  readonly versionId?: string;
  /** Whether the secret is fetched before the answer. */
  readonly refreshNow: boolean;
}

/** A configured secret that may answer a request. */
export interface AwsMatch {
  readonly secret: SecretConfig;
  readonly arn: string;
  readonly awsName: string;
  /** Empty: the stage is not known. */
  readonly stage: string;
  /** The field that holds the value of the stage; absent: the secret's own fields do. */
  readonly field?: 'previous' | 'pending';
}

const CURRENT = 'AWSCURRENT';
const STAGE_FIELDS = [
  ['AWSPREVIOUS', 'previous'],
  ['AWSPENDING', 'pending'],
] as const;

/**
 * Finds the secrets of Secrets Manager with this name or ARN and stage; if there are none, the secret of any backend
 * that is configured under this name, whose only stage is AWSCURRENT. When a version is asked for, only the values show
 * which of the secrets has it; without a stage the version may have any. An ARN of another account or region than that
 * of the value names another secret.
 * @param arnOf the ARN that came with the value of a secret; undefined as long as there is none.
 */
export function findAwsSecrets(
  asked: AwsAgentRequest,
  secrets: readonly SecretConfig[],
  arnOf: (name: string) => string | undefined = () => undefined,
): readonly AwsMatch[] {
  const isWanted = (stage: string) =>
    asked.stage === undefined && asked.versionId !== undefined ? true : stage === (asked.stage ?? CURRENT);
  const found: AwsMatch[] = [];
  for (const secret of secrets) {
    const { request } = secret;
    if (!isAwsSecretRequest(request) || !isSameId(request.secretId, asked.secretId)) continue;
    if (isElsewhere(asked.secretId, arnOf(secret.name))) continue;
    const names = namesOf(request.secretId, asked.secretId);
    // A pinned version may have any stage, or none.
    const own = request.stage ?? (request.versionId === undefined ? CURRENT : '');
    if (isWanted(own)) found.push({ secret, ...names, stage: own });
    for (const [stage, field] of STAGE_FIELDS) {
      if (request[field] === true && isWanted(stage)) found.push({ secret, ...names, stage, field });
    }
  }
  if (found.length > 0 || !isWanted(CURRENT)) return found;
  const named = secrets.filter(({ name }) => name === asked.secretId);
  return named.map((secret) => ({ secret, ...namesOf(secret.name, secret.name), stage: CURRENT }));
}

/** An ARN ends in a dash and six characters that are not part of the name; clients may leave them out. */
const ARN = /^(arn:[^:]+:secretsmanager:[^:]*:[^:]*:secret:)(.+)$/;
const END = /-[A-Za-z0-9]{6}$/;

/** Whether two names or ARNs mean the same secret. */
function isSameId(configured: string, asked: string): boolean {
  if (configured === asked) return true;
  const [ownArn, askedArn] = [ARN.exec(configured), ARN.exec(asked)];
  if (ownArn === null && askedArn === null) return false;
  const isSame = isSameName(ownArn?.[2] ?? configured, askedArn?.[2] ?? asked);
  return isSame && (ownArn === null || askedArn === null || ownArn[1] === askedArn[1]);
}

/** Whether an ARN that is asked for has another account or region than the secret's own. */
function isElsewhere(asked: string, own = ''): boolean {
  const [askedArn, ownArn] = [ARN.exec(asked), ARN.exec(own)];
  return askedArn !== null && ownArn !== null && askedArn[1] !== ownArn[1];
}

/** Whether two names are equal, or equal without the end of one of them. */
function isSameName(a: string, b: string): boolean {
  return a === b || a.replace(END, '') === b || a === b.replace(END, '');
}

/** The ARN and name of a secret. Where no ARN is known, the ARN is made up and names Pannier as its owner. */
function namesOf(configured: string, asked: string): { readonly arn: string; readonly awsName: string } {
  const arn = [configured, asked].find((id) => ARN.test(id));
  const awsName = [asked, configured].find((id) => !ARN.test(id)) ?? (ARN.exec(configured)?.[2] ?? '').replace(END, '');
  return { arn: arn ?? `arn:pannier:secretsmanager:::secret:${awsName}`, awsName };
}
