import type { StoredParameter, StoredSecret } from '../../backend/aws/reader.ts';
import { JSON_TYPE, type Reply } from '../http/reply.ts';

/** A body without quotes, as the AWS agent answers what is no call of the service. */
export const textReply = (status: number, body: string): Reply => ({ status, type: 'text/plain', body });

/** An error in the protocol of the service. Without a message it is one of the agent itself, as there. */
export function errorReply(status: number, type: string, message: string): Reply {
  if (message === '') return { status: 500, type: JSON_TYPE, body: JSON.stringify({ __type: 'InternalFailure' }) };
  return { status, type: JSON_TYPE, body: JSON.stringify({ __type: type, message }) };
}

/** The answer for a role that cannot be assumed, and for one that may not be. */
export const roleRefused = (roleArn: string): Reply =>
  errorReply(403, 'AccessDeniedException', `Failed to create caching client from role: ${roleArn}`);

/** A secret as the AWS agent answers it: the members and their order are the client's to rely on. */
export function secretReply({ arn, name, versionId, content, isBinary, stages, createdWallMs }: StoredSecret): Reply {
  const value = isBinary
    ? { SecretBinary: Buffer.from(content.exposeBytes('api')).toString('base64') }
    : { SecretString: content.exposeText('api') };
  const body = JSON.stringify({
    ARN: arn,
    Name: name,
    VersionId: versionId,
    ...value,
    ...(stages === undefined ? {} : { VersionStages: stages }),
    CreatedDate: createdWallMs === undefined ? null : String(createdWallMs / 1000),
  });
  return { status: 200, type: JSON_TYPE, body };
}

/** A parameter as the Lambda extension answers it: the answer of the SDK for Go, with null for what is absent. */
export function parameterReply(stored: StoredParameter): Reply {
  const { arn, name, type, dataType, version, content, selector, modifiedWallMs } = stored;
  const Parameter = {
    ARN: arn,
    DataType: dataType,
    LastModifiedDate: modifiedWallMs === undefined ? null : timeOf(modifiedWallMs),
    Name: name,
    Selector: selector ?? null,
    SourceResult: null,
    Type: type,
    Value: content.exposeText('api'),
    Version: version,
  };
  return { status: 200, type: JSON_TYPE, body: JSON.stringify({ Parameter, ResultMetadata: {} }) };
}

/** RFC 3339 as Go writes it: without zeros at the end of the fraction. */
const timeOf = (wallMs: number): string => new Date(wallMs).toISOString().replace(/\.?0+Z$/, 'Z');
