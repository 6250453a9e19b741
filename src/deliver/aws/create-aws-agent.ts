import type { IncomingMessage, ServerResponse } from 'node:http';
import { asFailure } from '../../base/errors.ts';
import type { ApiConfig, ApiListenerConfig, AwsAgentConfig, SecretConfig } from '../../config/config.ts';
import type { ApiAgent } from '../api/api-agent.ts';
import { Audit } from '../api/audit.ts';
import { ConfiguredSecrets } from '../api/aws-configured.ts';
import { RefreshQueue } from '../api/refreshing.ts';
import { VisibleSecrets } from '../api/visible.ts';
import { Guard, type RefusedRequest } from '../http/guard.ts';
import type { HttpService } from '../http/http-service.ts';
import { nameOfListen } from '../http/listening.ts';
import { JSON_TYPE, type Reply, sendReply } from '../http/reply.ts';
import { TokenFile } from '../http/token-file.ts';
import { warnIfWeak } from '../http/warn-if-weak.ts';
import { errorReplyOf, NOT_FOUND } from './errors.ts';
import { type BackendByName, OnDemand, type OnDemandView } from './on-demand.ts';
import { QueryError, readParameterQuery, readSecretQuery, type SecretQuery } from './query.ts';
import { roleRefused, textReply } from './replies.ts';

export interface AwsAgentOptions {
  readonly listener: ApiListenerConfig;
  readonly aws: AwsAgentConfig;
  readonly audit: ApiConfig['audit'];
  /** All configured secrets; the listener may show fewer. */
  readonly secrets: ReadonlyMap<string, SecretConfig>;
  /** The open backends, once the configuration is in use. */
  readonly backends: BackendByName;
  /** Gets what the listener reads on demand, by the listener's name, for status and metrics. */
  readonly views: Map<string, OnDemandView>;
}

/**
 * Answers on one listener as the AWS Secrets Manager Agent does, which is called AWS Workload Credentials Provider
 * since its version 3 (https://github.com/aws/aws-workload-credentials-provider): the same order of checks, statuses
 * and bodies. Configured secrets are answered from what the agent holds, others on demand where the listener allows it.
 */
export function createAwsAgent(options: AwsAgentOptions, agent: ApiAgent): HttpService {
  return new AwsAgent(options, agent);
}

const HEALTHY = textReply(200, 'healthy');
const NO_ROUTE = textReply(404, 'Not found');
const NOT_ALLOWED = textReply(405, 'Not allowed');

const SECRETS = '/secretsmanager/get';
/** Clients of the Lambda extension write both. */
const PARAMETERS: ReadonlySet<string> = new Set(['/systemsmanager/parameters/get', '/systemsmanager/parameters/get/']);

class AwsAgent implements HttpService {
  readonly busyReply = textReply(429, 'Connection limit exceeded');
  readonly #where: string;
  readonly #views: Map<string, OnDemandView>;
  readonly #aws: AwsAgentConfig;
  readonly #guard: Guard;
  readonly #audit: Audit;
  readonly #configured: ConfiguredSecrets;
  readonly #onDemand: OnDemand | undefined;

  constructor({ listener, aws, audit, secrets, backends, views }: AwsAgentOptions, agent: ApiAgent) {
    const { where, tokenFile, place } = listener;
    this.#aws = aws;
    this.#where = nameOfListen(where);
    this.#views = views;
    this.#audit = new Audit(audit, this.#where, agent);
    const token = tokenFile === undefined ? undefined : new TokenFile(tokenFile, `${place}.tokenFile`, agent.clock);
    this.#guard = new Guard({ isTcp: where.kind === 'tcp', token, tokenHeaders: aws.tokenHeaders });
    void warnIfWeak(token, agent.emit);
    const visible = new VisibleSecrets(secrets, listener.secrets, agent.computedPlaces);
    const deps = { agent, visible, audit: this.#audit, refreshing: new RefreshQueue(agent) };
    this.#configured = new ConfiguredSecrets(deps);
    this.#onDemand =
      aws.onDemand && new OnDemand({ config: aws.onDemand, clock: agent.clock, audit: this.#audit, backends });
  }

  async start(): Promise<void> {
    if (this.#onDemand === undefined) this.#views.delete(this.#where);
    else this.#views.set(this.#where, this.#onDemand);
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    // Health needs no token, and tells nothing.
    const refused = this.isVital(request) ? undefined : this.#guard.refuse(request, () => false);
    if (refused instanceof Promise) void refused.then((verdict) => this.#answer(request, response, verdict));
    else this.#answer(request, response, refused);
  }

  isVital(request: IncomingMessage): boolean {
    return split(request).path === '/ping';
  }

  takeOver(before: HttpService): void {
    if (before instanceof AwsAgent && before.#onDemand !== undefined) this.#onDemand?.takeOver(before.#onDemand);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#views.get(this.#where) === this.#onDemand) this.#views.delete(this.#where);
    this.#onDemand?.[Symbol.dispose]();
    this.#audit[Symbol.dispose]();
  }

  #answer(request: IncomingMessage, response: ServerResponse, refused: RefusedRequest | undefined): void {
    if (refused !== undefined) {
      this.#audit.refused(refused.code);
      sendReply(response, REFUSED[refused.code] ?? refused.reply);
    } else if (request.method !== 'GET') sendReply(response, NOT_ALLOWED);
    else void this.#route(request).then((reply) => sendReply(response, reply));
  }

  /** Never rejects. */
  async #route(request: IncomingMessage): Promise<Reply> {
    try {
      return await this.#reply(request);
    } catch (error) {
      return error instanceof QueryError ? textReply(400, error.message) : errorReplyOf(asFailure(error, 'request'));
    }
  }

  #reply(request: IncomingMessage): Reply | Promise<Reply> {
    const { path, query } = split(request);
    if (path === '/ping') return HEALTHY;
    if (path === SECRETS) return this.#readSecret(readSecretQuery(query, undefined));
    if (this.#onDemand?.hasParameters === true && PARAMETERS.has(path)) {
      return this.#onDemand.readParameter(readParameterQuery(query));
    }
    const { pathPrefix } = this.#aws;
    if (!path.startsWith(pathPrefix)) return NO_ROUTE;
    return this.#readSecret(readSecretQuery(query, decoded(path.slice(pathPrefix.length))));
  }

  /** A configured secret with a value comes first; a role that the client names is for secrets on demand alone. */
  async #readSecret(query: SecretQuery): Promise<Reply> {
    const { secretId, versionId, versionStage: stage, refreshNow, roleArn } = query;
    const onDemand = this.#onDemand;
    if (roleArn !== undefined) return onDemand === undefined ? roleRefused(roleArn) : await onDemand.readSecret(query);
    const asked = {
      secretId,
      refreshNow,
      ...(stage === undefined ? {} : { stage }),
      ...(versionId === undefined ? {} : { versionId }),
    };
    const read = await this.#configured.read(asked);
    if (read.state === 'found') return { status: 200, type: JSON_TYPE, body: read.body, headers: read.headers };
    if (read.state === 'failed') return { ...errorReplyOf(read.why), headers: read.headers };
    if (onDemand?.mayRead(secretId) === true) return await onDemand.readSecret(query);
    if (read.state === 'missing') return { ...errorReplyOf(read.why), headers: read.headers };
    if (onDemand !== undefined) return await onDemand.readSecret(query); // refuses it, and says so
    if (!read.isAudited) this.#audit.missed('read', 'unknown');
    return NOT_FOUND;
  }
}

/** What the guard refuses, as the AWS agent answers it; other refusals keep Pannier's own answer. */
const REFUSED: Readonly<Record<string, Reply>> = {
  API_FORWARDED: textReply(400, 'Forwarded'),
  API_TOKEN: textReply(403, 'Bad Token'),
};

function split({ url = '/' }: IncomingMessage): { readonly path: string; readonly query: string } {
  const at = url.indexOf('?');
  return at < 0 ? { path: url, query: '' } : { path: url.slice(0, at), query: url.slice(at + 1) };
}

/** No name of a secret has a percent sign, so what is encoded is meant. */
function decoded(part: string): string {
  if (!part.includes('%')) return part;
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
