import * as z from 'zod/mini';
import { WHOLE_DURATION } from '../../base/duration.ts';
import {
  failureStatusSchema,
  outputStatementSchema,
  outputStatusSchema,
  secretStatusSchema,
  statusSchema,
} from './status.ts';

/**
 * The API as an OpenAPI 3.1 document. It is loaded when a client asks for it: beside the handlers, these descriptions
 * would make what each start of the API reads longer by a quarter. Tests hold it to be of the same paths and methods as
 * the routes, and each answer that they get to be one that it describes.
 */
export function openApi(version: string): object {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Pannier, local API',
      version,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      description: 'The API of a running agent on its local listeners. Caches must not store any answer.',
    },
    servers: [{ url: 'http://localhost', description: 'A unix socket, or a TCP port on the loopback interface.' }],
    security: [{}, { token: [] }, { awsToken: [] }, { vaultToken: [] }],
    paths: PATHS,
    components: {
      securitySchemes: {
        token: { type: 'apiKey', in: 'header', name: 'X-Pannier-Token' },
        awsToken: { type: 'apiKey', in: 'header', name: 'X-Aws-Parameters-Secrets-Token' },
        vaultToken: { type: 'apiKey', in: 'header', name: 'X-Vault-Token' },
      },
      schemas: {
        Secret: SECRET,
        SecretStatus: schemaOf(secretStatusSchema),
        OutputStatus: schemaOf(outputStatusSchema),
        OutputStatement: schemaOf(outputStatementSchema),
        Status: schemaOf(statusSchema),
        Failure: schemaOf(failureStatusSchema),
        Problem: PROBLEM,
        AwsSecretValue: AWS_SECRET_VALUE,
        AwsError: object({ __type: TEXT, message: TEXT, code: TEXT, place: TEXT, hint: TEXT }),
      },
      headers: HEADERS,
      parameters: PARAMETERS,
    },
  };
}

const ref = (kind: string, name: string) => ({ $ref: `#/components/${kind}/${name}` });
const schema = (name: string) => ref('schemas', name);
const json = (of: object) => ({ 'application/json': { schema: of } });
const object = (properties: Readonly<Record<string, object>>, more: object = {}) => ({
  type: 'object',
  required: Object.keys(properties),
  properties,
  ...more,
});

function schemaOf(of: z.core.$ZodType): object {
  const { $schema: _, ...rest } = z.toJSONSchema(of, { io: 'input', target: 'draft-2020-12' });
  return rest;
}

const TEXT = { type: 'string' };
const SOME_TEXT = { type: 'string', minLength: 1 };

const SECRET = {
  type: 'object',
  required: ['name', 'version', 'fields'],
  properties: {
    name: TEXT,
    version: TEXT,
    fields: {
      type: 'object',
      description: 'The fields. A number keeps the spelling that the backend sent, such as 1.10.',
    },
    base64: {
      type: 'array',
      items: { type: 'string', format: 'json-pointer' },
      description:
        'JSON Pointers (RFC 6901) into fields. The values there are bytes that are not UTF-8, encoded in base64.',
    },
  },
};

const PROBLEM = {
  description: 'Problem details (RFC 9457). docs/errors.md lists the codes.',
  ...object({ status: { type: 'integer' }, title: TEXT, detail: TEXT, code: TEXT, place: TEXT, hint: TEXT }),
};

const AWS_SECRET_VALUE = {
  type: 'object',
  required: ['ARN', 'Name', 'VersionId', 'VersionStages', 'CreatedDate'],
  properties: {
    ARN: TEXT,
    Name: TEXT,
    VersionId: TEXT,
    SecretString: TEXT,
    SecretBinary: { type: 'string', contentEncoding: 'base64' },
    VersionStages: { type: 'array', items: TEXT },
    CreatedDate: { type: 'string', description: 'Seconds since the epoch.' },
  },
};

const HEADERS = {
  ETag: {
    description: 'Identifies the value. It changes with the value, and with each start of the agent.',
    schema: TEXT,
  },
  PannierState: {
    description:
      'The state of the value: fresh, stale (the last refresh failed) or expired. Without a value: absent or waiting.',
    schema: { enum: ['fresh', 'stale', 'expired', 'absent', 'waiting'] },
  },
  Age: { description: 'Whole seconds since the value was last known good.', schema: { type: 'integer', minimum: 0 } },
  RetryAfter: {
    description: 'Whole seconds after which the client may ask again.',
    schema: { type: 'integer', minimum: 1 },
  },
};

const inPath = (name: string, description: string) => ({
  name,
  in: 'path',
  required: true,
  description,
  schema: SOME_TEXT,
});
const inQuery = (name: string, description: string, of: object = TEXT) => ({
  name,
  in: 'query',
  description,
  schema: of,
});

const PARAMETERS = {
  name: inPath('name', 'The configured name.'),
  field: inPath('field', 'The name of the field, percent-encoded.'),
  to: inQuery('to', 'The number of the generation; absent: the one before.', { type: 'integer', minimum: 1 }),
  ifNoneMatch: {
    name: 'If-None-Match',
    in: 'header',
    description: 'The ETag of the value that the client knows.',
    schema: TEXT,
  },
  wait: inQuery(
    'wait',
    'How long to wait for a value with another ETag than the known one: a duration such as 30s, at most 5m.',
    {
      type: 'string',
      pattern: WHOLE_DURATION.source,
    },
  ),
  lastEventId: {
    name: 'Last-Event-ID',
    in: 'header',
    description: 'The id of the last event that the client got. Only later changes are sent.',
    schema: TEXT,
  },
  versionId: inQuery('versionId', 'The id of the version to answer with.'),
  versionStage: inQuery('versionStage', 'The stage to answer with. Without versionId it is AWSCURRENT by default.'),
  refreshNow: inQuery('refreshNow', 'Whether to fetch the secret before answering.', {
    enum: ['true', 'false', '1', '0'],
  }),
};

const valueHeaders = {
  ETag: ref('headers', 'ETag'),
  'Pannier-State': ref('headers', 'PannierState'),
  Age: ref('headers', 'Age'),
};

const problem = (description: string, headers: object = {}) => ({
  description,
  headers,
  content: { 'application/problem+json': { schema: schema('Problem') } },
});

const STATE = { 'Pannier-State': ref('headers', 'PannierState') };
/** Answers of the guard and the listener, which every path may give. */
const ALWAYS = {
  400: problem('The request is malformed, came through a proxy, or has a header twice.'),
  403: problem('The token is missing or wrong, or the listener does not allow this.'),
  413: problem('The request has a body.'),
  421: problem('The Host header names another machine.'),
  429: problem('All connections are taken.', { 'Retry-After': ref('headers', 'RetryAfter') }),
  500: problem('The agent has a fault.'),
};
const NO_SECRET = problem(
  'The listener shows no secret of this name, the secret has no such field, or it is optional and absent.',
  STATE,
);
const NO_VALUE = problem('The secret has no value yet, or the token file cannot be used.', {
  ...STATE,
  'Retry-After': ref('headers', 'RetryAfter'),
});
const TOKEN_FILE = problem('The token file cannot be used.');

const operation = (operationId: string, summary: string, responses: object, parameters: readonly object[] = []) => ({
  operationId,
  summary,
  ...(parameters.length === 0 ? {} : { parameters }),
  responses: { ...responses, ...ALWAYS },
});

const NAME = ref('parameters', 'name');
const IF_NONE_MATCH = ref('parameters', 'ifNoneMatch');
const WAIT = ref('parameters', 'wait');
const AWS_QUERY = ['versionId', 'versionStage', 'refreshNow'].map((name) => ref('parameters', name));

const unchanged = { description: 'The value is still the one with the known ETag.', headers: valueHeaders };

const awsError = (description: string, headers: object = {}) => ({
  description,
  headers,
  content: { ...json(schema('AwsError')), 'application/problem+json': { schema: schema('Problem') } },
});
const GET_ALONE = problem('The path takes only GET, as in the AWS agent.');
const AWS_HEADERS = { ...STATE, 'Retry-After': ref('headers', 'RetryAfter') };

const askedOutput = (refused: string) => ({
  200: { description: 'It is done, and so is the reload.', content: json(schema('OutputStatus')) },
  403: problem('The listener shows only some secrets and has no control.'),
  404: problem('The listener shows no output of this name.'),
  409: problem(refused),
  502: problem('The reload failed, and is tried again; or what was to be published failed its check or verification.'),
  503: TOKEN_FILE,
  504: problem('The reload takes longer than 30 s, and goes on.'),
});

const awsOperation = (operationId: string, summary: string, parameters: readonly object[]) => {
  const made = operation(operationId, summary, {}, [...parameters, ...AWS_QUERY]);
  const responses = {
    200: {
      description: 'The secret, as GetSecretValue answers it.',
      headers: valueHeaders,
      content: json(schema('AwsSecretValue')),
    },
    ...made.responses,
    400: awsError(
      'An error of Secrets Manager, such as ResourceNotFoundException, or a request that every path refuses.',
      AWS_HEADERS,
    ),
    405: GET_ALONE,
    500: awsError('Secrets Manager answered with an error, or the agent has a fault.', AWS_HEADERS),
    502: awsError('The agent has no connection to the backend (ConnectionError).', AWS_HEADERS),
    503: TOKEN_FILE,
    504: awsError(
      'The backend did not answer in time, refreshNow took too long, or there is no value yet (TimeoutError).',
      AWS_HEADERS,
    ),
  };
  return { get: { ...made, responses } };
};

const awsByPath = (parts: readonly string[]) =>
  awsOperation(
    `getAwsByPath${parts.length}`,
    'Read a secret as a client of the AWS agent; its name has as many parts as the path',
    parts.map((part) => inPath(part, 'A part of the name.')),
  );

/** The operations by path as OpenAPI writes it, in the order of docs/api.md. */
const PATHS = {
  '/v1/secrets': {
    get: operation('listSecrets', 'List the secrets that the listener shows, without values', {
      200: {
        description: 'The states of all secrets that the listener shows.',
        content: json(object({ secrets: { type: 'array', items: schema('SecretStatus') } })),
      },
      503: TOKEN_FILE,
    }),
  },
  '/v1/secrets/{name}': {
    get: operation(
      'getSecret',
      'Read a whole secret',
      {
        200: { description: 'The fields of the secret.', headers: valueHeaders, content: json(schema('Secret')) },
        304: unchanged,
        404: NO_SECRET,
        503: NO_VALUE,
      },
      [NAME, IF_NONE_MATCH, WAIT],
    ),
  },
  '/v1/secrets/{name}/{field}': {
    get: operation(
      'getField',
      'Read one field',
      {
        200: {
          description: 'The exact bytes of the field. A list or map is JSON.',
          headers: valueHeaders,
          content: { 'application/octet-stream': {}, 'application/json': {} },
        },
        304: unchanged,
        404: NO_SECRET,
        503: NO_VALUE,
      },
      [NAME, ref('parameters', 'field'), IF_NONE_MATCH, WAIT],
    ),
  },
  '/v1/watch': {
    get: operation(
      'watch',
      'Watch changes as Server-Sent Events',
      {
        200: {
          description: 'A stream of the events secret, state and end.',
          content: { 'text/event-stream': { schema: TEXT } },
        },
        404: NO_SECRET,
        503: TOKEN_FILE,
      },
      [
        inQuery('secret', 'The secrets to watch. Without it, all that the listener shows.', {
          type: 'array',
          items: TEXT,
        }),
        ref('parameters', 'lastEventId'),
      ],
    ),
  },
  '/v1/secrets/{name}/refresh': {
    post: operation(
      'refreshSecret',
      'Fetch a secret now',
      {
        200: {
          description: 'The secret was fetched.',
          headers: valueHeaders,
          content: json({ allOf: [schema('SecretStatus'), object({ changed: { type: 'boolean' } })] }),
        },
        404: NO_SECRET,
        502: problem('The fetch failed. An earlier value is kept, and the member state holds its state.', valueHeaders),
        503: NO_VALUE,
        504: problem('The fetch takes longer than 30 s, and goes on.', valueHeaders),
      },
      [NAME],
    ),
  },
  '/v1/status': {
    get: operation('getStatus', 'Read the state of the agent', {
      200: { description: 'The state of the agent, without values of secrets.', content: json(schema('Status')) },
      503: TOKEN_FILE,
    }),
  },
  '/v1/outputs/{name}/statement': {
    get: operation(
      'getStatement',
      "Read what an output's published files are made of",
      {
        200: { description: 'The statement, without values of secrets.', content: json(schema('OutputStatement')) },
        404: problem('The listener shows no output of this name.'),
        409: problem('The output has no published generation.'),
        503: TOKEN_FILE,
      },
      [NAME],
    ),
  },
  '/v1/outputs/{name}/reload': {
    post: operation(
      'reloadOutput',
      "Reload an output's published generation once more",
      {
        200: { description: 'The reload is done.', content: json(schema('OutputStatus')) },
        404: problem('The listener shows no output of this name.'),
        409: problem('The output has no published generation.'),
        502: problem('The reload failed, and is tried again.'),
        503: TOKEN_FILE,
        504: problem('The reload takes longer than 30 s, and goes on.'),
      },
      [NAME],
    ),
  },
  '/v1/outputs/{name}/rollback': {
    post: operation(
      'rollBackOutput',
      'Publish an earlier generation again, and hold the present one back while the files would be the same',
      askedOutput('There is no other generation to go back to.'),
      [NAME, ref('parameters', 'to')],
    ),
  },
  '/v1/outputs/{name}/resume': {
    post: operation('resumeOutput', 'Publish what is held back', askedOutput('Nothing is held back.'), [NAME]),
  },
  '/v1/config/reload': {
    post: operation('reloadConfig', 'Read the configuration again', {
      200: { description: 'The configuration is in use.', content: json(object({ applied: { const: true } })) },
      422: problem('The configuration has problems, and the running one stays. The member problems lists all of them.'),
      503: TOKEN_FILE,
      504: problem('The reload takes longer than 30 s, and goes on.'),
    }),
  },
  '/v1/log/{level}': {
    post: operation(
      'setLogLevel',
      'Change the level of the log',
      {
        200: {
          description: 'The level that is in force now, and the one of the configuration.',
          content: json(object({ level: TEXT, configured: TEXT })),
        },
        400: problem('There is no such level, or it tells less than the configured one.'),
        503: TOKEN_FILE,
      },
      [
        {
          name: 'level',
          in: 'path',
          required: true,
          description: 'A level that tells at least as much as the configured one, or configured to go back to it.',
          schema: { enum: ['trace', 'debug', 'info', 'warn', 'error', 'silent', 'configured'] },
        },
      ],
    ),
  },
  '/v1/stop': {
    post: operation('stop', 'Stop the agent', {
      202: { description: 'The agent stops.', content: json(object({ stopping: { const: true } })) },
      503: TOKEN_FILE,
    }),
  },
  '/v1/openapi.json': {
    get: operation('getOpenApi', 'Read this document', {
      200: { description: 'The OpenAPI 3.1 document.', content: json({ type: 'object' }) },
      503: TOKEN_FILE,
    }),
  },
  '/secretsmanager/get': awsOperation('getAws', 'Read a secret as a client of the AWS agent', [
    { ...inQuery('secretId', 'A name or ARN of Secrets Manager, or a configured name.', SOME_TEXT), required: true },
  ]),
  '/v1/{a}': awsByPath(['a']),
  '/v1/{a}/{b}': awsByPath(['a', 'b']),
  '/v1/{a}/{b}/{c}': awsByPath(['a', 'b', 'c']),
  '/v1/{a}/{b}/{c}/{d}': awsByPath(['a', 'b', 'c', 'd']),
  '/ping': {
    get: {
      ...operation('ping', 'Check that the agent answers; no token is needed', {
        200: { description: 'The agent answers.', content: { 'text/plain': { schema: { const: 'healthy' } } } },
        405: GET_ALONE,
      }),
      security: [{}],
    },
  },
};
