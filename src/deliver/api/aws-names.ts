import { isAwsSecretRequest } from '../../backend/aws/config/request.ts';
import type { SecretConfig } from '../../config/config.ts';

/** What a client of the AWS agent asks for. */
export interface AwsAsked {
  readonly secretId: string;
  readonly stage?: string;
  readonly versionId?: string;
  readonly refreshNow: boolean;
}

/** A configured secret that may answer it. */
export interface AwsFound {
  readonly secret: SecretConfig;
  readonly arn: string;
  readonly awsName: string;
  /** Empty: not known. */
  readonly stage: string;
  /** The field that holds the stage; absent: the secret itself is of it. */
  readonly field?: 'previous' | 'pending';
}

const CURRENT = 'AWSCURRENT';
const STAGE_FIELDS = [
  ['AWSPREVIOUS', 'previous'],
  ['AWSPENDING', 'pending'],
] as const;

/**
 * The secrets of Secrets Manager with this name or ARN and stage; else the secret of any backend that is configured
 * under this name, which has no other stage than AWSCURRENT. Which of them has a version that is asked for only their
 * values tell; a version alone may be of any stage. An ARN of another account or region than that of the value is of
 * another secret.
 * @param arnOf the ARN that came with the value of a secret; undefined as long as there is none.
 */
export function findAws(
  asked: AwsAsked,
  secrets: readonly SecretConfig[],
  arnOf: (name: string) => string | undefined = () => undefined,
): readonly AwsFound[] {
  const isWanted = (stage: string) =>
    asked.stage === undefined && asked.versionId !== undefined ? true : stage === (asked.stage ?? CURRENT);
  const found: AwsFound[] = [];
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

/** An ARN ends in a dash and six characters that no name has; it may be given without them. */
const ARN = /^(arn:[^:]+:secretsmanager:[^:]*:[^:]*:secret:)(.+)$/;
const END = /-[A-Za-z0-9]{6}$/;

function isSameId(configured: string, asked: string): boolean {
  if (configured === asked) return true;
  const [one, other] = [ARN.exec(configured), ARN.exec(asked)];
  if (one === null && other === null) return false;
  if (one !== null && other !== null) return one[1] === other[1] && isSameName(one[2] ?? '', other[2] ?? '');
  return isSameName(one?.[2] ?? configured, other?.[2] ?? asked);
}

function isElsewhere(asked: string, own = ''): boolean {
  const [one, other] = [ARN.exec(asked), ARN.exec(own)];
  return one !== null && other !== null && one[1] !== other[1];
}

/** Equal, or equal but for the end of one of them. */
function isSameName(a: string, b: string): boolean {
  return a === b || a.replace(END, '') === b || a === b.replace(END, '');
}

/** Of a secret that has no ARN, or whose ARN nobody has said, one that names us and nobody else. */
function namesOf(configured: string, asked: string): { readonly arn: string; readonly awsName: string } {
  const arn = [configured, asked].find((id) => ARN.test(id));
  const awsName = [asked, configured].find((id) => !ARN.test(id)) ?? (ARN.exec(configured)?.[2] ?? '').replace(END, '');
  return { arn: arn ?? `arn:pannier:secretsmanager:::secret:${awsName}`, awsName };
}
