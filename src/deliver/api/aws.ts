import { isAwsSecretRequest } from '../../backend/aws/config/request.ts';
import { failure } from '../../base/errors.ts';
import { type Fields, isFields, isSecret } from '../../base/value.ts';
import type { HeldValue } from '../../lease/snapshot.ts';
import { writeJson } from '../../render/text/json.ts';
import { JSON_TYPE, type Reply } from '../http/reply.ts';
import type { Route, RouteRequest } from '../http/routes.ts';
import type { ApiAgent } from './api-agent.ts';
import type { Audit } from './audit.ts';
import { awsErrorReply, NOT_FOUND } from './aws-errors.ts';
import { type AwsAgentRequest, type AwsMatch, findAwsSecrets } from './aws-names.ts';
import { type RefreshQueue, slowFailure } from './refreshing.ts';
import { stateHeaders, waitingHeaders } from './secret-reads.ts';
import type { VisibleSecrets } from './visible.ts';

export interface AwsRouteDeps {
  readonly agent: ApiAgent;
  readonly visible: VisibleSecrets;
  readonly audit: Audit;
  readonly refreshing: RefreshQueue;
}

/** Names of Secrets Manager may have slashes, which in a request by path make several parts. */
const PATHS = ['/v1/:a', '/v1/:a/:b', '/v1/:a/:b/:c', '/v1/:a/:b/:c/:d'];

/** The AWS agent takes no other method, not even HEAD. */
const GET = { method: 'GET', noHead: true } as const;

/**
 * The routes for clients of the AWS Secrets Manager Agent: `GET /secretsmanager/get?secretId=…`, `GET /v1/ID` where
 * that is not a path of Pannier's API, and `/ping`. Answers and errors are those of GetSecretValue, as the AWS agent
 * writes them (https://github.com/aws/aws-secretsmanager-agent).
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
  readonly #deps: AwsRouteDeps;

  constructor(deps: AwsRouteDeps) {
    this.#deps = deps;
  }

  /** @param id the name or ARN in the path; undefined: the query holds it. */
  async read({ query }: RouteRequest, id: string | undefined): Promise<Reply> {
    const { agent, visible, audit, refreshing } = this.#deps;
    const asked = parseQuery(query, id);
    if (typeof asked === 'string') return awsErrorReply(failure('API_MALFORMED', 'request', asked));
    const secrets = visible.names().map((name) => visible.of(name));
    const found = findAwsSecrets(asked, secrets, (name) => this.#arnOf(name));
    const refreshes = asked.refreshNow ? found.map(({ secret }) => refreshing.refresh(secret.name)) : [];
    const isRefreshed = (await Promise.all(refreshes)).every((isDone) => isDone);
    const fits = found.find((one) => asked.versionId === undefined || this.#versionOf(one) === asked.versionId);
    if (fits === undefined) {
      audit.missed('read', 'unknown');
      return unknownSecret();
    }
    const { name, place, optional } = fits.secret;
    const entry = agent.secrets.entryOf(name);
    const fields = entry === undefined || entry.state === 'absent' ? undefined : fieldsOf(fits, entry);
    if (entry === undefined || entry.state === 'absent' || fields === undefined) {
      audit.missed('read', 'absent', { secret: name });
      if (entry !== undefined && entry.state !== 'absent') return unknownSecret();
      const why = entry?.why ?? agent.reasonMissing(name);
      return awsErrorReply(why, optional && entry !== undefined ? {} : waitingHeaders(name, entry, agent));
    }
    const headers = stateHeaders(entry, agent);
    if (!isRefreshed) return awsErrorReply(slowFailure(place), headers);
    if (asked.refreshNow && entry.why !== undefined) {
      return awsErrorReply(entry.why, headers);
    }
    audit.read('read', name, '', entry);
    return { status: 200, type: JSON_TYPE, body: answerOf(fits, fields, entry), headers };
  }

  #arnOf(name: string): string | undefined {
    const entry = this.#deps.agent.secrets.entryOf(name);
    return entry === undefined || entry.state === 'absent' ? undefined : entry.value.original?.id;
  }

  #versionOf(found: AwsMatch): string | undefined {
    const entry = this.#deps.agent.secrets.entryOf(found.secret.name);
    return entry === undefined || entry.state === 'absent' ? undefined : versionIdOf(found, entry);
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

function answerOf(found: AwsMatch, fields: Fields, held: HeldValue): string {
  // For a stage that a field holds, only the fields are known.
  const original = found.field === undefined ? held.value.original : undefined;
  return JSON.stringify({
    ARN: original?.id ?? found.arn,
    Name: found.awsName,
    VersionId: versionIdOf(found, held),
    // The text as it was stored: one made of the fields would lose its spaces, and an object of the one field `value`.
    ...(original?.text === undefined ? contentOf(fields) : { SecretString: original.text.exposeText('api') }),
    VersionStages: original?.labels ?? (found.stage === '' ? [] : [found.stage]),
    // Seconds as text, as the AWS agent writes them. Where the version's own date is not known, it is that of its
    // fetch.
    CreatedDate: String((original?.madeWallMs ?? held.changedWallMs) / 1000),
  });
}

/** The fields of the stage that was found. Undefined: no version has the stage now. */
function fieldsOf({ secret: { request }, field }: AwsMatch, { value }: HeldValue): Fields | undefined {
  if (!isAwsSecretRequest(request)) return value.fields;
  if (field !== undefined) {
    const other = value.fields.get(field);
    return isFields(other) ? other : undefined;
  }
  const fields = new Map(value.fields);
  for (const name of ['previous', 'pending'] as const) if (request[name] === true) fields.delete(name);
  return fields;
}

/** The id of the stage's version. A version of the AWS backend is its id, then `FIELD=ID` for each further stage. */
function versionIdOf({ secret: { request }, field }: AwsMatch, { value }: HeldValue): string {
  if (!isAwsSecretRequest(request)) return value.version;
  const [own = '', ...more] = value.version.split(' ');
  return field === undefined ? own : (more.find((one) => one.startsWith(`${field}=`))?.slice(field.length + 1) ?? '');
}

/** The content made of fields. A secret that is not a JSON object at the backend has the one field `value`. */
function contentOf(fields: Fields): { readonly SecretString: string } | { readonly SecretBinary: string } {
  const value = fields.size === 1 ? fields.get('value') : undefined;
  if (isSecret(value) && value.type === 'bytes') {
    return { SecretBinary: Buffer.from(value.exposeBytes('api')).toString('base64') };
  }
  if (isSecret(value) && value.type === 'string') return { SecretString: value.exposeText('api') };
  return { SecretString: writeJson(fields, 0, 'api') };
}
