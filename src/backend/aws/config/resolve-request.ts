import type { ConfigEntry } from '../../../config/load/entry.ts';
import type { Problems } from '../../../config/problems/problems.ts';
import type { AwsRequest } from './request.ts';
import type { AwsSecretShape } from './request-schema.ts';

/** Makes the request of a secret with `secretId`, `parameter` or `prefix`; undefined when a problem was added. */
export function resolveAwsRequest(
  shape: AwsSecretShape,
  { file, path }: ConfigEntry,
  problems: Problems,
): AwsRequest | undefined {
  const { secretId, parameter, prefix, stage, versionId, roleArn, externalId } = shape;
  if (externalId !== undefined && roleArn === undefined) {
    problems.add('CONFIG_MISSING', file, [...path, 'roleArn'], 'absent, but externalId needs it');
    return undefined;
  }
  const role = { ...(roleArn === undefined ? {} : { roleArn }), ...(externalId === undefined ? {} : { externalId }) };
  if (parameter !== undefined) {
    const isPath = parameter.startsWith('/') && parameter.endsWith('/');
    return isPath
      ? { kind: 'aws-parameters', path: parameter, ...role }
      : { kind: 'aws-parameter', name: parameter, ...role };
  }
  if (prefix !== undefined) {
    return { kind: 'aws-prefix', prefix, ...(shape.tags === undefined ? {} : { tags: shape.tags }), ...role };
  }
  if (secretId === undefined) return undefined;
  if (stage !== undefined && versionId !== undefined) {
    problems.add(
      'CONFIG_INVALID',
      file,
      [...path, 'stage'],
      'stage and versionId exclude each other',
      'Keep one of the two.',
    );
    return undefined;
  }
  return {
    kind: 'aws-secret',
    secretId,
    ...(stage === undefined ? {} : { stage }),
    ...(versionId === undefined ? {} : { versionId }),
    ...(shape.previous === true ? { previous: true } : {}),
    ...(shape.pending === true ? { pending: true } : {}),
    ...role,
  };
}
