import {
  type AskedParameter,
  type AwsReader,
  hasReader,
  type StoredParameter,
  type StoredSecret,
} from '../../backend/aws/reader.ts';
import type { Backend } from '../../backend/backend.ts';
import type { Clock } from '../../base/clock.ts';
import { asFailure, fail, PannierError } from '../../base/errors.ts';
import { isSamePlainData } from '../../base/plain-data-equal.ts';
import type { AwsOnDemandConfig } from '../../config/config.ts';
import type { Audit } from '../api/audit.ts';
import { slowFailure, within } from '../api/refreshing.ts';
import type { Reply } from '../http/reply.ts';
import { AllowedNames } from './allowed-names.ts';
import { errorReplyOf, NOT_FOUND } from './errors.ts';
import { type OnDemandAnswer, OnDemandValues, type Origin } from './on-demand-values.ts';
import type { SecretQuery } from './query.ts';
import { errorReply, parameterReply, roleRefused, secretReply } from './replies.ts';

/** How requests on demand ended, beside how values came about. */
export type Outcome = Origin | 'failed' | 'refused';

/** What was on demand, in numbers. */
export interface OnDemandView {
  /** How many values are kept, and how many there may be. */
  readonly values: number;
  readonly max: number;
  /** How many requests ended how, since the listener was opened. */
  readonly requests: ReadonlyMap<Outcome, number>;
}

export type BackendByName = () => ReadonlyMap<string, Backend>;

export interface OnDemandDeps {
  readonly config: AwsOnDemandConfig;
  readonly clock: Clock;
  readonly audit: Audit;
  readonly backends: BackendByName;
}

/** How long a client waits, as at the AWS agent; a read goes on after that. */
const CLIENT_WAIT_MS = 60_000;

type Stored = StoredSecret | StoredParameter;

/** Thrown when the service answers with another secret than one that clients may read. */
class NotAllowedError extends PannierError {}

/** Reads secrets and parameters that clients name and that the listener allows, and keeps them for a while. */
export class OnDemand implements OnDemandView, Disposable {
  readonly requests = new Map<Outcome, number>();
  readonly #deps: OnDemandDeps;
  readonly #secrets: AllowedNames;
  readonly #parameters: AllowedNames;
  #values: OnDemandValues<Stored>;
  /** The identity of the backend that the values are from; undefined before the first request. */
  #identity: string | undefined;
  /** Another configuration has taken the place of this one, and perhaps its values. */
  #isSucceeded = false;

  constructor(deps: OnDemandDeps) {
    const { config, clock } = deps;
    this.#deps = deps;
    this.#secrets = new AllowedNames(config.allow);
    this.#parameters = new AllowedNames(config.parameters ?? []);
    this.#values = new OnDemandValues(config, clock);
  }

  get values(): number {
    return this.#values.size;
  }

  get max(): number {
    return this.#deps.config.maxEntries;
  }

  /** Whether clients may read parameters. */
  get hasParameters(): boolean {
    return this.#deps.config.parameters !== undefined;
  }

  /** Whether clients may ask for a secret with this name or ARN. */
  mayRead(secretId: string): boolean {
    return this.#secrets.maySecret(secretId);
  }

  async readSecret(query: SecretQuery): Promise<Reply> {
    const { secretId, versionId, versionStage, roleArn, refreshNow } = query;
    const { roleArns } = this.#deps.config;
    if (roleArn !== undefined && !roleArns.includes(roleArn)) return this.#refused(roleRefused(roleArn));
    if (!this.mayRead(secretId)) return this.#refused(NOT_ALLOWED);
    const isShown = ({ name, arn }: Stored) => this.#secrets.isSecret(name, arn);
    const key = JSON.stringify(['secret', secretId, versionId, versionStage, roleArn]);
    return await this.#read(key, refreshNow, isShown, roleArn, (reader) => ({
      read: (patient, signal) => reader.readSecret(query, patient, signal),
      isCurrent: async (stored, signal) => stored.kind === 'secret' && (await reader.isCurrent(query, stored, signal)),
    }));
  }

  async readParameter(asked: AskedParameter): Promise<Reply> {
    const { name, withDecryption } = asked;
    if (!this.#parameters.mayParameter(name)) return this.#refused(NOT_ALLOWED);
    const isShown = ({ name: found, arn }: Stored) => this.#parameters.isParameter(found, arn);
    const key = JSON.stringify(['parameter', name, withDecryption]);
    return await this.#read(key, false, isShown, undefined, (reader) => ({
      read: (patient, signal) => reader.readParameter(asked, patient, signal),
    }));
  }

  /**
   * Keeps what an earlier configuration of the listener read, from the same backend under the same rules. Reads that
   * are under way go on: a client does not notice the new configuration.
   */
  takeOver(before: OnDemand): void {
    before.#isSucceeded = true;
    for (const [outcome, count] of before.requests) this.requests.set(outcome, count);
    const { allow: _, parameters: __, roleArns: ___, place: ____, ...rules } = this.#deps.config;
    const { allow: _1, parameters: _2, roleArns: _3, place: _4, ...rulesBefore } = before.#deps.config;
    const identity = this.#deps.backends().get(this.#deps.config.backend)?.identity;
    if (!isSamePlainData(rules, rulesBefore) || identity === undefined || identity !== before.#identity) return;
    this.#identity = identity;
    const own = this.#values;
    this.#values = before.#values;
    before.#values = own;
  }

  [Symbol.dispose](): void {
    if (this.#isSucceeded) this.#values.retire();
    else this.#values[Symbol.dispose]();
  }

  async #read(
    key: string,
    refreshNow: boolean,
    isShown: (stored: Stored) => boolean,
    roleArn: string | undefined,
    readsBy: (reader: AwsReader) => Parameters<OnDemandValues<Stored>['get']>[2],
  ): Promise<Reply> {
    const { clock } = this.#deps;
    let reader: AwsReader | undefined;
    try {
      const opened = await this.#reader();
      reader = opened;
      const reads = readsBy(opened);
      const checked = {
        ...reads,
        read: async (patient: boolean, signal: AbortSignal) => {
          const stored = await reads.read(patient, signal);
          if (isShown(stored)) return stored;
          throw new NotAllowedError(asFailure(fail('SECRET_NOT_FOUND', 'api', 'the name is not allowed'), 'api'));
        },
      };
      const answer = await within(clock, CLIENT_WAIT_MS, this.#values.get(key, refreshNow, checked));
      if (answer === undefined) return this.#failed(slowFailure('api'));
      // A value that an earlier configuration kept may not be allowed any more.
      return isShown(answer.kept.value) ? this.#answered(answer) : this.#refused(NOT_FOUND);
    } catch (error) {
      if (error instanceof NotAllowedError) return this.#refused(NOT_FOUND);
      const failure = asFailure(error, this.#deps.config.place);
      const reply = this.#failed(failure);
      if (roleArn !== undefined && reader?.isOfRole(error) === true) return roleRefused(roleArn);
      const said = reader?.answerOf(error);
      return said === undefined ? reply : saidByService(said);
    }
  }

  async #reader(): Promise<AwsReader> {
    const { config, backends } = this.#deps;
    const backend = backends().get(config.backend);
    if (backend === undefined || !hasReader(backend)) {
      throw fail('INTERNAL', config.place, `the backend ${config.backend} is not open`);
    }
    this.#identity = backend.identity;
    return await backend.reader();
  }

  #answered({ kept, origin }: OnDemandAnswer<Stored>): Reply {
    const { value } = kept;
    this.#count(origin);
    const version = value.kind === 'secret' ? value.versionId : String(value.version);
    this.#deps.audit.readOnDemand(value.name, version, !kept.isAudited);
    kept.isAudited = true;
    return value.kind === 'secret' ? secretReply(value) : parameterReply(value);
  }

  #failed(failure: ReturnType<typeof asFailure>): Reply {
    this.#count('failed');
    this.#deps.audit.failedOnDemand('failed', failure.code);
    return errorReplyOf(failure);
  }

  #refused(reply: Reply): Reply {
    this.#count('refused');
    this.#deps.audit.failedOnDemand('refused', 'SECRET_DENIED');
    return reply;
  }

  #count(outcome: Outcome): void {
    this.requests.set(outcome, (this.requests.get(outcome) ?? 0) + 1);
  }
}

/** The same for a name that exists and for one that does not. */
const NOT_ALLOWED = errorReply(
  400,
  'AccessDeniedException',
  'The agent does not allow clients of this listener to read it: allow and parameters of its configuration name what they may.',
);

/** Names of errors in the API references; an answer with any other is not one of the service. */
const ERROR_NAME = /^[A-Za-z][A-Za-z0-9._]{0,127}$/;

/** The SDK's word for a message that is absent. */
const NO_MESSAGE = 'UnknownError';

function saidByService({ type, message, status }: { type: string; message: string; status: number }): Reply {
  const isSaid = ERROR_NAME.test(type) && message !== NO_MESSAGE;
  return errorReply(status, type, isSaid ? message : '');
}
