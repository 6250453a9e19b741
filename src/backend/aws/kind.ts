import type { BackendKind } from '../kind.ts';
import type { AwsBackendConfig } from './config/config.ts';
import { companionKeys, requestKeys } from './config/request-schema.ts';
import { resolveAws } from './config/resolve.ts';
import { resolveAwsRequest } from './config/resolve-request.ts';
import { awsSchema } from './config/schema.ts';

/** AWS Secrets Manager and Systems Manager Parameter Store. */
export const aws: BackendKind<AwsBackendConfig> = {
  kind: 'aws-secrets-manager',
  schema: awsSchema,
  resolve: resolveAws,
  requestKeys,
  companionKeys,
  resolveRequest: resolveAwsRequest,
  credentialVariables: [
    'AWS_ACCESS_KEY_ID',
    'AWS_SECRET_ACCESS_KEY',
    'AWS_SESSION_TOKEN',
    'AWS_CONTAINER_AUTHORIZATION_TOKEN',
  ],
  open: async (config, opening) => (await import('./open.ts')).openAwsBackend(config, opening),
};
