import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import http from 'node:http';
import { type AwsProxy, awsError } from '../faults/aws-proxy.ts';
import type { Moto } from '../servers/index.ts';
import type { PutSecret } from '../servers/moto.ts';

export const TOKEN = 'a-token-of-sixteen-characters-and-more';
export const ROLE = 'arn:aws:iam::123456789012:role/shared';
const HEADER = 'X-Aws-Parameters-Secrets-Token';
const WITH_TOKEN = { [HEADER]: TOKEN };

/** What the steps know of the secrets that they read, by a short name. */
export type Known = Record<'db' | 'one' | 'bytes' | 'text' | 'next', PutSecret>;

/** One request of a client, with the answer that the AWS agent gives. */
export interface Step {
  readonly title: string;
  /** What happens before. */
  readonly before?: (moto: Moto, proxy: AwsProxy, known: Known) => Promise<void> | void;
  readonly path: string | ((known: Known) => string);
  readonly method?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string;
  readonly status: number;
  /** The whole body. A number in CreatedDate is written as DATE. */
  readonly wanted: string | ((known: Known) => string);
  /** What AWS is asked for it, each operation once; absent: not compared. */
  readonly calls?: readonly string[];
}

const GET = '/secretsmanager/get?secretId=';

/** GetSecretValue as the AWS agent writes it: the order of the members is the one of its source. */
const secret = ({ ARN, Name, VersionId }: PutSecret, content: object, stage = 'AWSCURRENT') =>
  JSON.stringify({ ARN, Name, VersionId, ...content, VersionStages: [stage], CreatedDate: 'DATE' });
const error = (type: string, message: string) => JSON.stringify({ __type: type, message });
const gone = error('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");

const DB = '{"user": "shop", "port": 5432.0, "note": "é<\\u2028"}';
const isDb = ({ db }: Known) => secret(db, { SecretString: DB });
const isNext = ({ next }: Known) => secret(next, { SecretString: 'rotated' });
const fault = (type: string, status: number, message: string) => (_: Moto, proxy: AwsProxy) =>
  proxy.fault(() => awsError(type, status, message));

/**
 * A recorded sequence. Statuses and bodies are those of the AWS agent, by its documentation, its source (`server.rs`,
 * `parse.rs`, `cache_manager.rs`, `output.rs` of version 3.0.0), and a run of it: `AWS_AGENT=PATH` lets the test
 * compare the sequence with a real one. moto answers 404 where AWS answers 400 to an unknown secret; the status is
 * passed on.
 */
export const SEQUENCE: readonly Step[] = [
  // ---- health
  { title: 'health', path: '/ping', headers: {}, status: 200, wanted: 'healthy' },
  {
    title: 'health through a proxy',
    path: '/ping',
    headers: { 'X-Forwarded-For': '::1' },
    status: 200,
    wanted: 'healthy',
  },
  { title: 'health by POST', path: '/ping', method: 'POST', headers: {}, status: 405, wanted: 'Not allowed' },
  // ---- who may ask
  { title: 'no token', path: `${GET}prod/db`, headers: {}, status: 403, wanted: 'Bad Token' },
  { title: 'a wrong token', path: `${GET}prod/db`, headers: { [HEADER]: 'wrong' }, status: 403, wanted: 'Bad Token' },
  {
    title: 'a forwarded request',
    path: `${GET}prod/db`,
    headers: { ...WITH_TOKEN, 'X-Forwarded-For': '10.0.0.1' },
    status: 400,
    wanted: 'Forwarded',
  },
  {
    title: 'the header of Vault',
    path: `${GET}prod/db`,
    headers: { 'X-Vault-Token': TOKEN },
    status: 200,
    wanted: isDb,
  },
  // ---- methods and paths
  { title: 'POST', path: `${GET}prod/db`, method: 'POST', status: 405, wanted: 'Not allowed' },
  { title: 'DELETE on a path', path: '/v1/prod/db', method: 'DELETE', status: 405, wanted: 'Not allowed' },
  {
    title: 'a token first, then the method',
    path: '/v1/prod/db',
    method: 'PUT',
    headers: {},
    status: 403,
    wanted: 'Bad Token',
  },
  { title: 'an unknown path', path: '/v2/prod/db', status: 404, wanted: 'Not found' },
  { title: 'a slash too many', path: '/secretsmanager/get/?secretId=prod/db', status: 404, wanted: 'Not found' },
  { title: 'a path without a name', path: '/v1/', status: 400, wanted: 'missing secret ID' },
  { title: 'half of the prefix', path: '/v1', status: 404, wanted: 'Not found' },
  { title: "a path of Pannier's own API", path: '/v1/status', status: 404, wanted: gone },
  // ---- queries
  { title: 'no query', path: '/secretsmanager/get', status: 400, wanted: 'missing parameter secretId' },
  { title: 'an empty name', path: GET, status: 400, wanted: 'missing parameter secretId' },
  { title: 'an unknown parameter', path: `${GET}prod/db&abc=1`, status: 400, wanted: 'unknown parameter: abc' },
  { title: 'two names', path: `/v1/prod/db?secretId=x`, status: 400, wanted: 'unknown parameter: secretId' },
  {
    title: 'a strange refreshNow',
    path: `${GET}prod/db&refreshNow=yes`,
    status: 400,
    wanted: 'invalid refreshNow value',
  },
  { title: 'the last of two names', path: `${GET}nope&secretId=prod/db`, status: 200, wanted: isDb },
  { title: 'a body, which is ignored', path: `${GET}prod/db`, body: 'hello', status: 200, wanted: isDb },
  // ---- names
  { title: 'a name in the path', path: '/v1/prod/db', status: 200, wanted: isDb },
  { title: 'an encoded slash in the query', path: `${GET}prod%2Fdb`, status: 200, wanted: isDb },
  { title: 'an ARN', path: ({ db }) => `${GET}${db.ARN}`, status: 200, wanted: isDb },
  { title: 'an ARN without its end', path: ({ db }) => `${GET}${db.ARN.slice(0, -7)}`, status: 200, wanted: isDb },
  { title: 'an ARN in the path', path: ({ db }) => `/v1/${db.ARN}`, status: 200, wanted: isDb },
  { title: 'an unknown name', path: `${GET}prod/nope`, status: 404, wanted: gone },
  { title: 'a name of 3 KiB', path: `${GET}${'a'.repeat(3_000)}`, status: 404, wanted: gone },
  {
    title: 'bytes',
    path: `${GET}prod/bytes`,
    status: 200,
    wanted: ({ bytes }) => secret(bytes, { SecretBinary: 'AP8B' }),
  },
  {
    title: 'bytes that are text',
    path: `${GET}prod/text`,
    status: 200,
    wanted: ({ text }) => secret(text, { SecretBinary: 'dGV4dA==' }),
  },
  // ---- versions
  {
    title: 'the previous version',
    path: `${GET}prod/two&versionStage=AWSPREVIOUS`,
    status: 200,
    wanted: ({ one }) => secret(one, { SecretString: '1' }, 'AWSPREVIOUS'),
  },
  {
    title: 'a version by its id',
    path: ({ one }) => `${GET}prod/two&versionId=${one.VersionId}`,
    status: 200,
    wanted: ({ one }) => secret(one, { SecretString: '1' }, 'AWSPREVIOUS'),
  },
  {
    title: 'a version that lacks the stage',
    path: ({ one }) => `/v1/prod/two?versionId=${one.VersionId}&versionStage=AWSCURRENT`,
    status: 404,
    wanted: error(
      'InvalidRequestException',
      'You provided a VersionStage that is not associated to the provided VersionId.',
    ),
  },
  { title: 'a stage that no version has', path: `${GET}prod/two&versionStage=MINE`, status: 404, wanted: gone },
  // ---- roles
  {
    title: 'a role that is no ARN',
    path: `${GET}prod/db&roleArn=shared`,
    status: 400,
    wanted: 'invalid roleArn format, expected arn:<partition>:iam::<account>:role/<name>',
  },
  { title: 'a role', path: `${GET}prod/db&roleArn=${ROLE}`, status: 200, wanted: isDb },
  // ---- the cache
  {
    title: 'a secret that was rotated within the ttl',
    before: async (moto, _, known) => {
      known.next = await moto.putSecret('prod/db', 'rotated');
    },
    path: `${GET}prod/db`,
    status: 200,
    wanted: isDb,
  },
  { title: 'the same with refreshNow', path: `${GET}prod/db&refreshNow=TRUE`, status: 200, wanted: isNext },
  { title: 'the same without it', path: `${GET}prod/db&refreshNow=0`, status: 200, wanted: isNext },
  {
    title: 'a secret that was deleted within the ttl',
    before: async (moto) => {
      await moto.api('secretsmanager', 'DeleteSecret', { SecretId: 'prod/text' });
    },
    path: `${GET}prod/text`,
    status: 200,
    wanted: ({ text }) => secret(text, { SecretBinary: 'dGV4dA==' }),
  },
  // ---- what the service answers
  {
    title: 'a denial',
    before: fault('AccessDeniedException', 400, 'User: arn:aws:iam::1:user/a is not authorized to "read"'),
    path: `${GET}prod/denied`,
    status: 400,
    wanted: error('AccessDeniedException', 'User: arn:aws:iam::1:user/a is not authorized to "read"'),
  },
  {
    title: 'keys that have expired',
    before: fault('ExpiredTokenException', 400, 'The security token included in the request is expired'),
    path: `${GET}prod/db&refreshNow=true`,
    status: 400,
    wanted: error('ExpiredTokenException', 'The security token included in the request is expired'),
  },
  {
    title: 'a key of KMS that may not be used',
    before: fault('DecryptionFailure', 400, "Secrets Manager can't decrypt the protected secret text."),
    path: `${GET}prod/kms`,
    status: 400,
    wanted: error('DecryptionFailure', "Secrets Manager can't decrypt the protected secret text."),
  },
  {
    title: 'a secret that is scheduled for deletion',
    before: fault(
      'InvalidRequestException',
      400,
      "You can't perform this operation on the secret because it was marked for deletion.",
    ),
    path: `${GET}prod/text&refreshNow=1`,
    status: 400,
    wanted: error(
      'InvalidRequestException',
      "You can't perform this operation on the secret because it was marked for deletion.",
    ),
  },
  {
    title: 'an error without words',
    before: (_, proxy) => proxy.fault(() => ({ status: 400, body: '{"__type":"InvalidParameterException"}' })),
    path: `${GET}prod/wordless`,
    status: 500,
    wanted: '{"__type":"InternalFailure"}',
  },
  {
    title: 'a connection that breaks',
    before: (_, proxy) => proxy.fault(() => 'reset'),
    path: `${GET}prod/unreachable`,
    status: 502,
    wanted: error('ConnectionError', 'Read Error'),
  },
  { title: 'a kept value meanwhile', path: `${GET}prod/db`, status: 200, wanted: isNext },
];

const READ = 'GetSecretValue';
const LOOK = 'DescribeSecret';
const put = (value: string) => async (moto: Moto, _: AwsProxy, known: Known) => {
  known.next = await moto.putSecret('kept', value);
};
const isKept = (value: string) => (known: Known) => secret(known.next, { SecretString: value });

/** What is asked at the end of the ttl, which is 0 s here. */
export const AT_THE_END_OF_THE_TTL: readonly Step[] = [
  { title: 'the first time', before: put('1'), path: `${GET}kept`, status: 200, wanted: isKept('1'), calls: [READ] },
  { title: 'unchanged', path: `${GET}kept`, status: 200, wanted: isKept('1'), calls: [LOOK] },
  { title: 'rotated', before: put('2'), path: `${GET}kept`, status: 200, wanted: isKept('2'), calls: [LOOK, READ] },
  {
    title: 'refreshNow does not look first',
    path: `${GET}kept&refreshNow=1`,
    status: 200,
    wanted: isKept('2'),
    calls: [READ],
  },
  {
    title: 'a version by its id',
    path: ({ next }) => `${GET}kept&versionId=${next.VersionId}`,
    status: 200,
    wanted: isKept('2'),
    calls: [READ],
  },
  {
    title: 'a version by its id that lost its stage',
    before: async (moto, _, known) => {
      known.one = known.next;
      known.next = await moto.putSecret('kept', '3');
    },
    path: ({ one }) => `${GET}kept&versionId=${one.VersionId}`,
    status: 200,
    wanted: ({ one }) => secret(one, { SecretString: '2' }),
    calls: [LOOK],
  },
  {
    title: 'another stage',
    path: `${GET}kept&versionStage=AWSPREVIOUS`,
    status: 200,
    wanted: ({ one }) => secret(one, { SecretString: '2' }, 'AWSPREVIOUS'),
    calls: [READ],
  },
  {
    title: 'another stage that moved',
    before: async (moto, _, known) => {
      known.one = known.next;
      known.next = await moto.putSecret('kept', '4');
    },
    path: `${GET}kept&versionStage=AWSPREVIOUS`,
    status: 200,
    wanted: ({ one }) => secret(one, { SecretString: '3' }, 'AWSPREVIOUS'),
    calls: [LOOK, READ],
  },
  { title: 'the current one after that', path: `${GET}kept`, status: 200, wanted: isKept('4'), calls: [LOOK, READ] },
  {
    title: 'keys that have expired',
    before: fault('ExpiredTokenException', 400, 'expired'),
    path: `${GET}kept`,
    status: 400,
    wanted: error('ExpiredTokenException', 'expired'),
    calls: [LOOK],
  },
  {
    title: 'a policy that was cut',
    before: fault('AccessDeniedException', 400, 'no'),
    path: `${GET}kept`,
    status: 400,
    wanted: error('AccessDeniedException', 'no'),
  },
  {
    title: 'a service that is back',
    before: (_, proxy) => proxy.fault(undefined),
    path: `${GET}kept`,
    status: 200,
    wanted: isKept('4'),
  },
  // After these the backend's circuit is open, and what is kept is answered without asking.
  {
    title: 'a service with an error of its own',
    before: (_, proxy) => proxy.fault(() => awsError('InternalServiceError', 500, 'down')),
    path: `${GET}kept`,
    status: 200,
    wanted: isKept('4'),
    calls: [LOOK],
  },
  {
    title: 'a connection that breaks',
    before: (_, proxy) => proxy.fault(() => 'reset'),
    path: `${GET}kept`,
    status: 200,
    wanted: isKept('4'),
    calls: [LOOK],
  },
  {
    title: 'the same with refreshNow',
    path: `${GET}kept&refreshNow=true`,
    status: 502,
    wanted: error('ConnectionError', 'Read Error'),
    calls: [READ],
  },
];

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Sends the request of a step. */
export async function send(
  port: number,
  step: Pick<Step, 'method' | 'headers' | 'body'>,
  path: string,
): Promise<Answer> {
  const { method = 'GET', headers = WITH_TOKEN, body } = step;
  const length = body === undefined ? {} : { 'Content-Length': body.length };
  return await new Promise((resolve, reject) => {
    const request = http.request({ host: '127.0.0.1', port, path, method, headers: { ...headers, ...length } });
    request.on('error', reject);
    request.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
    });
    request.end(body);
  });
}

/** The body with the word DATE instead of the date, which each run has its own of. */
export const withoutDate = (body: string): string => body.replace(/("CreatedDate":")\d+(?:\.\d+)?"/, '$1DATE"');

/** Makes the secrets that the steps read. */
export async function putSecrets(moto: Moto): Promise<Known> {
  const db = await moto.putSecret('prod/db', DB);
  const one = await moto.putSecret('prod/two', '1');
  await moto.putSecret('prod/two', '2');
  const bytes = await moto.putSecret('prod/bytes', Uint8Array.of(0, 255, 1));
  const text = await moto.putSecret('prod/text', Buffer.from('text'));
  return { db, one, bytes, text, next: db };
}
