import { failure } from '../../base/errors.ts';
import { JSON_TYPE, type Reply } from '../http/reply.ts';
import type { Route, RouteRequest } from '../http/routes.ts';
import type { Audit } from './audit.ts';
import { ConfiguredSecrets, type ConfiguredSecretsDeps } from './aws-configured.ts';
import { awsErrorReply, NOT_FOUND } from './aws-errors.ts';
import type { AwsAgentRequest } from './aws-names.ts';

export type AwsRouteDeps = ConfiguredSecretsDeps;

/** Names of Secrets Manager may have slashes, which in a request by path make several parts. */
const PATHS = ['/v1/:a', '/v1/:a/:b', '/v1/:a/:b/:c', '/v1/:a/:b/:c/:d'];

/** The AWS agent takes no other method, not even HEAD. */
const GET = { method: 'GET', noHead: true } as const;

/**
 * The routes for clients of the AWS Secrets Manager Agent: `GET /secretsmanager/get?secretId=…`, `GET /v1/ID` where
 * that is not a path of Pannier's API, and `/ping`. Answers and errors are those of GetSecretValue, as the AWS agent
 * writes them (https://github.com/aws/aws-secretsmanager-agent), with members of Pannier's in errors. A listener with
 * `aws` has none of these routes: `deliver/aws/` answers there as that agent does and in no other way.
 */
export function awsRoutes(deps: AwsRouteDeps): readonly Route[] {
  const aws = new AwsReads(deps);
  return [
    { ...GET, path: '/ping', vital: true, handle: () => ({ status: 200, type: 'text/plain', body: 'healthy' }) },
    { ...GET, path: '/secretsmanager/get', handle: (asked) => aws.read(asked, undefined) },
    ...PATHS.map((path): Route => {
      return { ...GET, path, handle: (asked) => aws.read(asked, Object.values(asked.params).join('/')) };
    }),
  ];
}

class AwsReads {
  readonly #audit: Audit;
  readonly #configured: ConfiguredSecrets;

  constructor(deps: AwsRouteDeps) {
    this.#audit = deps.audit;
    this.#configured = new ConfiguredSecrets(deps);
  }

  /** @param id the name or ARN in the path; undefined: the query holds it. */
  async read({ query }: RouteRequest, id: string | undefined): Promise<Reply> {
    const asked = parseQuery(query, id);
    if (typeof asked === 'string') return awsErrorReply(failure('API_MALFORMED', 'request', asked));
    const read = await this.#configured.read(asked);
    if (read.state === 'found') return { status: 200, type: JSON_TYPE, body: read.body, headers: read.headers };
    if (read.state !== 'unknown') return awsErrorReply(read.why, read.headers);
    if (!read.isAudited) this.#audit.missed('read', 'unknown');
    return unknownSecret();
  }
}

/** The same answer for a secret that is not configured and for one that this listener does not show. */
function unknownSecret(): Reply {
  return awsErrorReply(failure('API_UNKNOWN_SECRET', 'request', 'there is no such secret'), {}, NOT_FOUND);
}

/** The request in a query, or a text that says what is wrong with it. */
function parseQuery(query: string, id: string | undefined): AwsAgentRequest | string {
  const given = new URLSearchParams(query);
  const known = ['versionId', 'versionStage', 'refreshNow', ...(id === undefined ? ['secretId'] : [])];
  for (const key of given.keys()) {
    if (key === 'roleArn') return 'roleArn is not taken here: set the role in the configuration';
    if (!known.includes(key)) return `the query may hold only ${known.join(', ')}`;
  }
  const refreshNow = (given.get('refreshNow') ?? 'false').toLowerCase();
  if (!['true', '1', 'false', '0'].includes(refreshNow)) return 'refreshNow must be true or false';
  const secretId = id ?? given.get('secretId') ?? '';
  if (secretId === '') return 'the query holds no secretId';
  const [versionId, stage] = [given.get('versionId'), given.get('versionStage')];
  return {
    secretId,
    refreshNow: refreshNow === 'true' || refreshNow === '1',
    ...(versionId === null ? {} : { versionId }),
    ...(stage === null ? {} : { stage }),
  };
}
