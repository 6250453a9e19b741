import * as z from 'zod/mini';
import { WHOLE_DURATION } from '../../base/duration.ts';
import { failureStatusSchema, outputStatusSchema, secretStatusSchema, statusSchema } from './status.ts';

/** The API as an OpenAPI 3.1 document. Loaded when somebody asks for it; a test holds it against rows and answers. */
export function openApi(version: string): object {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Pannier, local API',
      version,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      description: 'What a running agent answers on its local listeners. No answer may be stored.',
    },
    servers: [{ url: 'http://localhost', description: 'a unix socket, or a port of loopback' }],
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
    fields: { type: 'object', description: 'Numbers keep the spelling that the backend sent, also 2^53+1 and 1.10.' },
    base64: {
      type: 'array',
      items: { type: 'string', format: 'json-pointer' },
      description: 'JSON Pointers (RFC 6901) into fields: what is there is base64 of bytes that are no UTF-8.',
    },
  },
};

const PROBLEM = {
  description: 'RFC 9457. The codes are those of docs/errors.md.',
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
    description: 'Of this start of the agent and of the value; another one whenever the value is another.',
    schema: TEXT,
  },
  PannierState: {
    description: 'fresh, stale (the last refresh failed) or expired; without a value absent or waiting.',
    schema: { enum: ['fresh', 'stale', 'expired', 'absent', 'waiting'] },
  },
  Age: { description: 'Whole seconds since the value was last known good.', schema: { type: 'integer', minimum: 0 } },
  RetryAfter: { description: 'Whole seconds.', schema: { type: 'integer', minimum: 1 } },
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
  name: inPath('name', 'A configured name.'),
  field: inPath('field', 'A field, percent-encoded.'),
  ifNoneMatch: { name: 'If-None-Match', in: 'header', description: 'The ETag that is known already.', schema: TEXT },
  wait: inQuery(
    'wait',
    'A duration such as 30s, five minutes at most: wait so long for another value than the known.',
    {
      type: 'string',
      pattern: WHOLE_DURATION.source,
    },
  ),
  lastEventId: { name: 'Last-Event-ID', in: 'header', description: 'Go on after this event.', schema: TEXT },
  versionId: inQuery('versionId', 'Only this version.'),
  versionStage: inQuery('versionStage', 'AWSCURRENT when absent.'),
  refreshNow: inQuery('refreshNow', 'Fetch first.', { enum: ['true', 'false', '1', '0'] }),
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
/** What the guard and the listener answer whatever is asked. */
const ALWAYS = {
  400: problem('It cannot be understood, came through a proxy, or has a header twice.'),
  403: problem('The token is absent or wrong, or the listener does not allow this.'),
  413: problem('It has a body.'),
  421: problem('Its Host header names another machine.'),
  429: problem('All connections are taken.', { 'Retry-After': ref('headers', 'RetryAfter') }),
  500: problem('A fault of the agent.'),
};
const NO_SECRET = problem('The listener shows no such secret or field, or it is optional and absent.', STATE);
const NO_VALUE = problem('There is no value yet, or the token file cannot be used.', {
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

const unchanged = { description: 'The value is the known one.', headers: valueHeaders };

const awsError = (description: string, headers: object = {}) => ({
  description,
  headers,
  content: { ...json(schema('AwsError')), 'application/problem+json': { schema: schema('Problem') } },
});
const GET_ALONE = problem('HEAD, which the AWS agent does not take.');
const AWS_HEADERS = { ...STATE, 'Retry-After': ref('headers', 'RetryAfter') };

const awsOperation = (operationId: string, summary: string, parameters: readonly object[]) => {
  const made = operation(operationId, summary, {}, [...parameters, ...AWS_QUERY]);
  const responses = {
    200: { description: 'As GetSecretValue.', headers: valueHeaders, content: json(schema('AwsSecretValue')) },
    ...made.responses,
    400: awsError('An error of Secrets Manager, such as ResourceNotFoundException; or as for every path.', AWS_HEADERS),
    405: GET_ALONE,
    500: awsError('An error of Secrets Manager, or a fault of the agent.', AWS_HEADERS),
    502: awsError('No connection to the backend (ConnectionError).', AWS_HEADERS),
    503: TOKEN_FILE,
    504: awsError(
      'No answer in time: of the backend, of refreshNow, or there is no value yet (TimeoutError).',
      AWS_HEADERS,
    ),
  };
  return { get: { ...made, responses } };
};

const awsByPath = (parts: readonly string[]) =>
  awsOperation(
    `getAwsByPath${parts.length}`,
    'A secret for clients of the AWS agent, whose name has this many parts',
    parts.map((part) => inPath(part, 'A part of the name.')),
  );

/** By path as OpenAPI writes it, in the order of docs/api.md. */
const PATHS = {
  '/v1/secrets': {
    get: operation('listSecrets', 'All secrets that the listener shows, without values', {
      200: {
        description: 'All.',
        content: json(object({ secrets: { type: 'array', items: schema('SecretStatus') } })),
      },
      503: TOKEN_FILE,
    }),
  },
  '/v1/secrets/{name}': {
    get: operation(
      'getSecret',
      'A whole secret',
      {
        200: { description: 'Its fields.', headers: valueHeaders, content: json(schema('Secret')) },
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
      'One field',
      {
        200: {
          description: 'Its exact bytes; a list or map as JSON.',
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
      'Changes as Server-Sent Events',
      {
        200: { description: 'Events secret, state and end.', content: { 'text/event-stream': { schema: TEXT } } },
        404: NO_SECRET,
        503: TOKEN_FILE,
      },
      [inQuery('secret', 'Only these; absent: all.', { type: 'array', items: TEXT }), ref('parameters', 'lastEventId')],
    ),
  },
  '/v1/secrets/{name}/refresh': {
    post: operation(
      'refreshSecret',
      'Fetch a secret now',
      {
        200: {
          description: 'It was fetched.',
          headers: valueHeaders,
          content: json({ allOf: [schema('SecretStatus'), object({ changed: { type: 'boolean' } })] }),
        },
        404: NO_SECRET,
        502: problem('It failed; a value that was there is kept, and its state is in the member state.', valueHeaders),
        503: NO_VALUE,
        504: problem('It takes longer than 30 s, and goes on.', valueHeaders),
      },
      [NAME],
    ),
  },
  '/v1/status': {
    get: operation('getStatus', 'The state of the agent', {
      200: { description: 'Without values.', content: json(schema('Status')) },
      503: TOKEN_FILE,
    }),
  },
  '/v1/outputs/{name}/reload': {
    post: operation(
      'reloadOutput',
      "Reload an output's published generation once more",
      {
        200: { description: 'Reloaded.', content: json(schema('OutputStatus')) },
        404: problem('The listener knows no such output.'),
        409: problem('Nothing is published.'),
        502: problem('The reload failed; it is tried again.'),
        503: TOKEN_FILE,
        504: problem('It takes longer than 30 s, and goes on.'),
      },
      [NAME],
    ),
  },
  '/v1/config/reload': {
    post: operation('reloadConfig', 'Read the configuration again', {
      200: { description: 'It was taken.', content: json(object({ applied: { const: true } })) },
      422: problem('It is not good; the running one stays. All problems are in the member problems.'),
      503: TOKEN_FILE,
      504: problem('It takes longer than 30 s, and goes on.'),
    }),
  },
  '/v1/stop': {
    post: operation('stop', 'Stop the agent', {
      202: { description: 'It stops.', content: json(object({ stopping: { const: true } })) },
      503: TOKEN_FILE,
    }),
  },
  '/v1/openapi.json': {
    get: operation('getOpenApi', 'This document', {
      200: { description: 'OpenAPI 3.1.', content: json({ type: 'object' }) },
      503: TOKEN_FILE,
    }),
  },
  '/secretsmanager/get': awsOperation('getAws', 'A secret for clients of the AWS agent', [
    { ...inQuery('secretId', 'Name or ARN, or a configured name.', SOME_TEXT), required: true },
  ]),
  '/v1/{a}': awsByPath(['a']),
  '/v1/{a}/{b}': awsByPath(['a', 'b']),
  '/v1/{a}/{b}/{c}': awsByPath(['a', 'b', 'c']),
  '/v1/{a}/{b}/{c}/{d}': awsByPath(['a', 'b', 'c', 'd']),
  '/ping': {
    get: {
      ...operation('ping', 'Whether somebody answers; no token is wanted', {
        200: { description: 'healthy', content: { 'text/plain': { schema: { const: 'healthy' } } } },
        405: GET_ALONE,
      }),
      security: [{}],
    },
  },
};
