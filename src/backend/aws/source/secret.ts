import type { DescribeSecretResponse, GetSecretValueResponse } from '@aws-sdk/client-secrets-manager';
import type { Clock } from '../../../base/clock.ts';
import { fail, PannierError } from '../../../base/errors.ts';
import { Secret } from '../../../base/secret.ts';
import { equalValues, type Fields, type Value } from '../../../base/value.ts';
import type { Fetch, Fetched, Original, Want } from '../../backend.ts';
import type { AwsApi, AwsRegion, AwsWhere } from '../client/client.ts';
import { withAsked } from '../client/error.ts';
import type { AwsSecretRequest } from '../config/request.ts';
import { fieldsOf } from './fields.ts';
import type { AwsValues } from './values.ts';

/** Fetches requests of one kind; see `Source.fetch`. */
export type AwsFetch<R> = (want: Want, request: R, last: Fetched | undefined, signal: AbortSignal) => Promise<Fetch>;

export interface AwsSourceDeps {
  readonly api: AwsApi;
  readonly values: AwsValues;
  readonly clock: Clock;
}

const LIFE = { kind: 'none' } as const;

/** The staging labels that the keys `previous` and `pending` stand for. */
const STAGES = { previous: 'AWSPREVIOUS', pending: 'AWSPENDING' } as const;
const STAGE_NAMES = ['previous', 'pending'] as const;

/** When the policy refuses DescribeSecret for a secret, it is tried again after this time. */
const REFUSED_MS = 600_000;

/** How many refusals are remembered; a forgotten one costs a call that is refused. */
const MAX_REFUSED = 10_000;

/**
 * Fetches a secret of Secrets Manager. Such a secret states no life, so it is polled.
 *
 * The bytes of a version never change. A poll therefore asks DescribeSecret which version has the stage, and reads the
 * value only when that is another version. The random end of the ARN is part of the version, since a secret that was
 * deleted and created again has another one. Where the policy does not allow DescribeSecret, the value is read each
 * time.
 *
 * With `previous` or `pending`, one DescribeSecret gives the versions of all stages, which are then read by version id:
 * so they belong together, also in the middle of a rotation.
 */
export function createAwsSecret({ api, values, clock }: AwsSourceDeps): AwsFetch<AwsSecretRequest> {
  const refusedUntilMs = new Map<string, number>();

  /** Returns undefined when the policy does not allow DescribeSecret for this secret. */
  async function describe(
    region: AwsRegion,
    { secretId, roleArn, externalId }: AwsSecretRequest,
    where: AwsWhere,
    signal: AbortSignal,
  ) {
    const key = JSON.stringify([secretId, roleArn, externalId]);
    if (clock.monoMs() < (refusedUntilMs.get(key) ?? Number.NEGATIVE_INFINITY)) return undefined;
    try {
      const described = await region.call('DescribeSecret', { SecretId: secretId }, where, signal);
      if (described.DeletedDate) {
        const hint = 'Restore it with RestoreSecret.';
        throw fail('SECRET_DELETED', where.place, `${secretId} is scheduled for deletion`, { hint });
      }
      return described;
    } catch (error) {
      if (!(error instanceof PannierError && error.failure.code === 'SECRET_DENIED')) throw error;
      refusedUntilMs.delete(key);
      refusedUntilMs.set(key, clock.monoMs() + REFUSED_MS);
      const [oldest] = refusedUntilMs.keys();
      if (oldest !== undefined && refusedUntilMs.size > MAX_REFUSED) refusedUntilMs.delete(oldest);
      return undefined;
    }
  }

  /** Reads one version or stage. AWSCURRENT, the usual one, is read together with that of other secrets. */
  async function read(
    region: AwsRegion,
    { secretId, stage, versionId }: AwsSecretRequest,
    where: AwsWhere,
    signal: AbortSignal,
  ) {
    if ((stage === undefined || stage === 'AWSCURRENT') && versionId === undefined) {
      return await values.read(region, secretId, where, signal);
    }
    const which = versionId === undefined ? { VersionStage: stage } : { VersionId: versionId };
    try {
      return await region.call('GetSecretValue', { SecretId: secretId, ...which }, where, signal);
    } catch (error) {
      throw withAsked(error, versionId === undefined ? `stage ${stage}` : `version ${versionId}`);
    }
  }

  /** Reads the fields of `versionId`, and adds the fields of the other stages that the request asks for. */
  async function readStages(
    region: AwsRegion,
    request: AwsSecretRequest,
    versionId: string,
    described: DescribeSecretResponse,
    where: AwsWhere,
    signal: AbortSignal,
  ): Promise<readonly [Fields, Original]> {
    const readOne = (one: string) => read(region, { ...request, versionId: one }, where, signal);
    const own = await readOne(versionId);
    const fields = new Map<string, Value>(fieldsOf(own, where.place));
    for (const name of STAGE_NAMES) {
      if (request[name] !== true) continue;
      const other = versionOfStage(described, STAGES[name]);
      if (other === undefined) fields.delete(name);
      else fields.set(name, fieldsOf(await readOne(other), where.place));
    }
    return [fields, originalOf(own, region)];
  }

  return ({ place }, asked, last, signal) => {
    const where = { place, role: asked };
    return api.inOneRegion('secretsmanager', where, signal, async (region) => {
      const request = { ...asked, secretId: region.localArn(asked.secretId) };
      const isStaged = request.previous === true || request.pending === true;
      const described = last === undefined && !isStaged ? undefined : await describe(region, request, where, signal);
      const id = described && idOf(request, described);
      const version = described && id && versionText(id, described, request);
      if (version !== undefined && last?.version === version) return { state: 'unchanged', life: LIFE };
      if (isStaged && described === undefined) {
        const hint = 'Allow secretsmanager:DescribeSecret, which the keys previous and pending need.';
        throw fail('SECRET_DENIED', place, `the policy does not allow DescribeSecret of ${request.secretId}`, { hint });
      }
      if (isStaged && described !== undefined && id !== undefined && version !== undefined) {
        return changed(...(await readStages(region, request, id, described, where, signal)), version, last);
      }
      const value = await read(region, request, where, signal);
      return changed(fieldsOf(value, place), originalOf(value, region), `${value.VersionId} ${endOf(value.ARN)}`, last);
    });
  };
}

function changed(fields: Fields, original: Original, version: string, last: Fetched | undefined): Fetch {
  if (last?.version === version && equalValues(last.fields, fields)) return { state: 'unchanged', life: LIFE };
  return { state: 'changed', value: { fields, version, life: LIFE, original } };
}

/** For clients of the local endpoint that speaks like the AWS Secrets Manager Agent: the secret as it was stored. */
function originalOf(
  { ARN = '', VersionStages = [], CreatedDate, SecretString }: GetSecretValueResponse,
  region: AwsRegion,
): Original {
  return {
    id: region.homeArn(ARN), // the name stays the same while a replica answers
    labels: VersionStages,
    ...(CreatedDate === undefined ? {} : { madeWallMs: CreatedDate.getTime() }),
    ...(SecretString === undefined ? {} : { text: Secret.text(SecretString) }),
  };
}

/** The version of a described secret. It begins with the text that `createAwsSecret` makes of the value's answer. */
function versionText(own: string, described: DescribeSecretResponse, request: AwsSecretRequest): string {
  const others = STAGE_NAMES.flatMap((name) =>
    request[name] ? [`${name}=${versionOfStage(described, STAGES[name]) ?? ''}`] : [],
  );
  return [own, endOf(described.ARN), ...others].join(' ');
}

/** The version id that a request asks for. A pinned version may have no stage, so DescribeSecret may not list it. */
function idOf(
  { versionId, stage = 'AWSCURRENT' }: AwsSecretRequest,
  described: DescribeSecretResponse,
): string | undefined {
  return versionId ?? versionOfStage(described, stage);
}

function versionOfStage({ VersionIdsToStages = {} }: DescribeSecretResponse, stage: string): string | undefined {
  return Object.entries(VersionIdsToStages).find(([, stages]) => stages?.includes(stage))?.[0];
}

/** The random end of an ARN, which tells a secret from an earlier one of the same name. */
const endOf = (arn = ''): string => arn.slice(-6);
