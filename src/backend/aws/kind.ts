import type { BackendKind } from '../kind.ts';
import type { AwsBackendConfig } from './config/config.ts';

let resolving: typeof import('./config/resolving.ts') | undefined;
let requests: typeof import('./config/resolve-request.ts') | undefined;

const loadRequests = async () => {
  requests = await import('./config/resolve-request.ts');
};

const REQUEST_KEYS = ['secretId', 'parameter', 'prefix'] as const;

/** AWS Secrets Manager and Systems Manager Parameter Store. */
export const aws: BackendKind<AwsBackendConfig> = {
  kind: 'aws-secrets-manager',
  loadSchemas: async () => (await import('./config/schemas.ts')).schemas,
  loadWords: async () => (await import('./config/words.ts')).awsWords,
  loadResolve: async () => {
    resolving = await import('./config/resolving.ts');
    return resolving.TABLES;
  },
  bringsTables: true,
  resolve: (name, shape: never, entry, context) => resolving?.resolveAws(name, shape, entry, context),
  requestKeys: REQUEST_KEYS,
  companionKeys: {
    stage: ['secretId'],
    versionId: ['secretId'],
    previous: ['secretId'],
    pending: ['secretId'],
    tags: ['prefix'],
    roleArn: REQUEST_KEYS,
    externalId: REQUEST_KEYS,
  },
  resolveRequest: (shape: never, entry, problems) => requests?.resolveAwsRequest(shape, entry, problems),
  lateRequestKeys: Object.fromEntries(REQUEST_KEYS.map((key) => [key, loadRequests])),
  credentialVariables: [
    'AWS_ACCESS_KEY_ID',
    'AWS_SECRET_ACCESS_KEY',
    'AWS_SESSION_TOKEN',
    'AWS_CONTAINER_AUTHORIZATION_TOKEN',
  ],
  hasAwsProtocol: true,
  loadTools: () => import('./tools.ts'),
  open: async (config, opening) => (await import('./open.ts')).openAwsBackend(config, opening),
};
