import { isAwsSecretRequest } from '../../backend/aws/config/request.ts';
import type { Failure } from '../../base/errors.ts';
import { type Fields, isFields, isSecret } from '../../base/value.ts';
import type { HeldValue } from '../../lease/snapshot.ts';
import { writeJson } from '../../render/text/json.ts';
import type { ApiAgent } from './api-agent.ts';
import type { Audit } from './audit.ts';
import { type AwsAgentRequest, type AwsMatch, findAwsSecrets } from './aws-names.ts';
import { type RefreshQueue, slowFailure } from './refreshing.ts';
import { stateHeaders, waitingHeaders } from './secret-reads.ts';
import type { VisibleSecrets } from './visible.ts';

export interface ConfiguredSecretsDeps {
  readonly agent: ApiAgent;
  readonly visible: VisibleSecrets;
  readonly audit: Audit;
  readonly refreshing: RefreshQueue;
}

type Headers = Readonly<Record<string, string>>;

/** What the configured secrets have for a request of a client of the AWS agent. */
export type ConfiguredRead =
  | { readonly state: 'found'; readonly body: string; readonly headers: Headers }
  /** No secret that the listener shows has the name, version and stage; `isAudited`: the audit says so already. */
  | { readonly state: 'unknown'; readonly isAudited: boolean }
  /** There is such a secret, without a value. */
  | { readonly state: 'missing'; readonly why: Failure; readonly headers: Headers }
  /** The refresh that was asked for failed, or takes too long. */
  | { readonly state: 'failed'; readonly why: Failure; readonly headers: Headers };

/** Answers clients of the AWS agent from the secrets of the configuration. */
export class ConfiguredSecrets {
  readonly #deps: ConfiguredSecretsDeps;

  constructor(deps: ConfiguredSecretsDeps) {
    this.#deps = deps;
  }

  async read(asked: AwsAgentRequest): Promise<ConfiguredRead> {
    const { agent, visible, audit, refreshing } = this.#deps;
    const secrets = visible.names().map((name) => visible.of(name));
    const found = findAwsSecrets(asked, secrets, (name) => this.#arnOf(name));
    const refreshes = asked.refreshNow ? found.map(({ secret }) => refreshing.refresh(secret.name)) : [];
    const isRefreshed = (await Promise.all(refreshes)).every((isDone) => isDone);
    const fits = found.find((one) => asked.versionId === undefined || this.#versionOf(one) === asked.versionId);
    if (fits === undefined) return { state: 'unknown', isAudited: false };
    const { name, place, optional } = fits.secret;
    const entry = agent.secrets.entryOf(name);
    const fields = entry === undefined || entry.state === 'absent' ? undefined : fieldsOf(fits, entry);
    if (entry === undefined || entry.state === 'absent' || fields === undefined) {
      audit.missed('read', 'absent', { secret: name });
      if (entry !== undefined && entry.state !== 'absent') return { state: 'unknown', isAudited: true };
      const why = entry?.why ?? agent.reasonMissing(name);
      const isLasting = optional && entry !== undefined;
      return { state: 'missing', why, headers: isLasting ? {} : waitingHeaders(name, entry, agent) };
    }
    const headers = stateHeaders(entry, agent);
    if (!isRefreshed) return { state: 'failed', why: slowFailure(place), headers };
    if (asked.refreshNow && entry.why !== undefined) return { state: 'failed', why: entry.why, headers };
    audit.read('read', name, '', entry);
    return { state: 'found', body: answerOf(fits, fields, entry), headers };
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
