import type { SecretValueEntry } from '@aws-sdk/client-secrets-manager';
import type { Clock } from '../../../base/clock.ts';
import type { Code } from '../../../base/codes.ts';
import { PannierError } from '../../../base/errors.ts';
import type { AwsRegion } from '../client/client.ts';
import { awsEntryError } from '../client/error.ts';
import type { AwsRole } from '../config/request.ts';
import { Gather } from './gather.ts';
import { pagesOf } from './pages.ts';

/** Reads AWSCURRENT of a secret by name, ARN or partial ARN, many of them in few calls. */
export interface AwsValues {
  read(
    region: AwsRegion,
    secretId: string,
    where: { readonly place: string; readonly role: AwsRole },
    signal: AbortSignal,
  ): Promise<SecretValueEntry>;
}

/** The most ids that BatchGetSecretValue takes. */
const BATCH = 20;

/** When the policy refuses BatchGetSecretValue, secrets are read one by one for this time. */
const REFUSED_MS = 600_000;

/** Failures of a whole batch that say nothing about the single secrets in it. */
const NOT_AS_BATCH: ReadonlySet<Code> = new Set([
  'SECRET_DENIED',
  'SECRET_NOT_FOUND',
  'BACKEND_REJECTED',
  'SECRET_UNDECRYPTABLE',
]);

/**
 * Reads values with BatchGetSecretValue, whose answer has a failure per secret. It needs its own permission
 * (`secretsmanager:BatchGetSecretValue` on `*`): where the policy lacks it, the secrets are read one by one.
 * https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_BatchGetSecretValue.html
 */
export function createAwsValues(clock: Clock): AwsValues {
  const gathers = new Map<string, Gather<SecretValueEntry>>();
  return {
    read(region, secretId, { place, role }, signal) {
      const key = JSON.stringify([region.name, role.roleArn, role.externalId]);
      let gather = gathers.get(key);
      if (gather === undefined) {
        gather = gatherFor(region, role, clock);
        gathers.set(key, gather);
      }
      return gather.read(secretId, place, signal);
    },
  };
}

function gatherFor(region: AwsRegion, role: AwsRole, clock: Clock): Gather<SecretValueEntry> {
  let refusedUntilMs = Number.NEGATIVE_INFINITY;
  return new Gather({
    size: BATCH,
    readOne: (SecretId, place, signal) => region.call('GetSecretValue', { SecretId }, { place, role }, signal),
    async readMany(ids, placeOf, signal) {
      const answers = new Map<string, SecretValueEntry | PannierError>();
      if (clock.monoMs() < refusedUntilMs) return answers;
      try {
        const where = { place: placeOf(ids[0] as string), role };
        for await (const { SecretValues = [], Errors = [] } of pagesOf(where.place, (token) =>
          region.call('BatchGetSecretValue', { SecretIdList: [...ids], ...token }, where, signal),
        )) {
          for (const entry of SecretValues) {
            for (const id of ids) if (isOf(entry, id)) answers.set(id, entry);
          }
          for (const { SecretId = '', ErrorCode, Message } of Errors) {
            const operation = 'secretsmanager BatchGetSecretValue';
            const nowMs = clock.wallMs();
            const call = { operation, of: SecretId, region: region.name, place: placeOf(SecretId), nowMs };
            answers.set(SecretId, awsEntryError(ErrorCode, Message, call));
          }
        }
      } catch (error) {
        if (!(error instanceof PannierError && NOT_AS_BATCH.has(error.failure.code))) throw error;
        if (error.failure.code === 'SECRET_DENIED') refusedUntilMs = clock.monoMs() + REFUSED_MS;
      }
      return answers;
    },
  });
}

/**
 * Whether an entry of an answer is the secret `id`. An entry has name and ARN; `id` may be either, or an ARN without
 * the hyphen and six random characters at its end.
 */
function isOf({ Name, ARN = '' }: SecretValueEntry, id: string): boolean {
  return (
    id === Name || id === ARN || (id.startsWith('arn:') && ARN.length === id.length + 7 && ARN.startsWith(`${id}-`))
  );
}
