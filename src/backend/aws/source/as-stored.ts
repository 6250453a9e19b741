import { backoffMs } from '../../../base/backoff.ts';
import type { Clock } from '../../../base/clock.ts';
import type { Code } from '../../../base/codes.ts';
import { asFailure, fail, PannierError } from '../../../base/errors.ts';
import { Secret } from '../../../base/secret.ts';
import type { AwsApi, AwsRegion, AwsService } from '../client/client.ts';
import { awsAnswerOf } from '../client/error.ts';
import type { AskedSecret, AwsReader, StoredParameter, StoredSecret } from '../reader.ts';

export interface AwsReaderDeps {
  readonly api: AwsApi;
  readonly clock: Clock;
  readonly random: () => number;
  /** Configuration path of the backend, for errors. */
  readonly place: string;
}

/** The failure of assuming the role that a client named. */
class AwsRoleError extends PannierError {}

/** How often a request is sent at most, as by the SDK that the AWS agent uses. */
const MAX_TRIES = 3;

/** No try begins later than this after the first one: a client waits for it. */
const TRYING_MS = 10_000;

/** Between tries; the bounds of that SDK are 0 and 1 s. */
const PAUSES = { floorMs: 50, baseMs: 500, capMs: 2_000 };

/** Failures after which another try is worth it. */
const PASSING: ReadonlySet<Code> = new Set([
  'BACKEND_THROTTLED',
  'BACKEND_UNAVAILABLE',
  'BACKEND_UNREACHABLE',
  'BACKEND_TIMEOUT',
] satisfies Code[]);

const CURRENT = 'AWSCURRENT';

/** Reads secrets and parameters as they are stored, for clients of the AWS agent; see `AwsReader`. */
export function createAwsReader({ api, clock, random, place }: AwsReaderDeps): AwsReader {
  /** Runs a read in one region, and again after failures that pass when `isPatient`. */
  async function tried<T>(
    service: AwsService,
    roleArn: string | undefined,
    isPatient: boolean,
    signal: AbortSignal,
    work: (region: AwsRegion, where: { readonly place: string; readonly role: AwsRoleOf }) => Promise<T>,
  ): Promise<T> {
    const where = { place, role: roleArn === undefined ? {} : { roleArn } };
    const startedMs = clock.monoMs();
    for (let tries = 1; ; tries++) {
      let hasKeys = false;
      try {
        return await api.inOneRegion(service, where, signal, (region) => {
          hasKeys = true;
          return work(region, where);
        });
      } catch (error) {
        const { code, retryAfterMs } = asFailure(error, place);
        const waitMs = backoffMs(tries, random, retryAfterMs, PAUSES);
        const isLast = tries === MAX_TRIES || clock.monoMs() + waitMs - startedMs > TRYING_MS;
        const isOver = !isPatient || isLast || signal.aborted || !PASSING.has(code);
        if (isOver && !hasKeys && roleArn !== undefined && code !== 'CANCELLED') {
          throw new AwsRoleError(asFailure(error, place));
        }
        if (isOver) throw error;
        await clock.sleep(waitMs, signal);
      }
    }
  }

  return {
    answerOf: awsAnswerOf,
    isOfRole: (error) => error instanceof AwsRoleError,

    readSecret: ({ secretId, versionId, versionStage, roleArn }, isPatient, signal) =>
      tried('secretsmanager', roleArn, isPatient, signal, async (region, where): Promise<StoredSecret> => {
        const which = {
          ...(versionId === undefined ? {} : { VersionId: versionId }),
          ...(versionStage === undefined ? {} : { VersionStage: versionStage }),
        };
        const input = { SecretId: region.localArn(secretId), ...which };
        const { ARN, Name, VersionId, SecretString, SecretBinary, VersionStages, CreatedDate } = await region.call(
          'GetSecretValue',
          input,
          where,
          signal,
        );
        const isBinary = SecretString === undefined;
        if (ARN === undefined || Name === undefined || VersionId === undefined || (isBinary && !SecretBinary)) {
          throw fail('BACKEND_MALFORMED', place, 'the answer to GetSecretValue is not a secret');
        }
        return {
          kind: 'secret',
          arn: region.homeArn(ARN),
          name: Name,
          versionId: VersionId,
          content: isBinary ? Secret.bytes(SecretBinary as Uint8Array) : Secret.text(SecretString),
          isBinary,
          ...(VersionStages === undefined ? {} : { stages: VersionStages }),
          ...(CreatedDate === undefined ? {} : { createdWallMs: CreatedDate.getTime() }),
        };
      }),

    isCurrent: (asked, stored, signal) =>
      tried('secretsmanager', asked.roleArn, false, signal, async (region, where) => {
        const input = { SecretId: region.localArn(stored.arn) };
        const { VersionIdsToStages } = await region.call('DescribeSecret', input, where, signal);
        return isListed(VersionIdsToStages ?? {}, asked, stored);
      }),

    readParameter: ({ name, withDecryption }, isPatient, signal) =>
      tried('ssm', undefined, isPatient, signal, async (region, where): Promise<StoredParameter> => {
        const input = { Name: name, WithDecryption: withDecryption };
        const { Parameter: found } = await region.call('GetParameter', input, where, signal);
        if (found?.Name === undefined || found.Value === undefined) {
          throw fail('BACKEND_MALFORMED', place, 'the answer to GetParameter holds no parameter');
        }
        return {
          kind: 'parameter',
          arn: found.ARN ?? '',
          name: found.Name,
          type: found.Type ?? 'String',
          dataType: found.DataType ?? 'text',
          version: found.Version ?? 0,
          content: Secret.text(found.Value),
          ...(found.Selector === undefined ? {} : { selector: found.Selector }),
          ...(found.LastModifiedDate === undefined ? {} : { modifiedWallMs: found.LastModifiedDate.getTime() }),
        };
      }),
  };
}

interface AwsRoleOf {
  readonly roleArn?: string;
}

/**
 * The rules of the AWS agent: a version that is asked for by its id alone is current as long as it exists; otherwise
 * the version must have the stage, AWSCURRENT unless another one is asked for.
 */
function isListed(
  listed: Readonly<Record<string, readonly string[] | undefined>>,
  { versionId, versionStage }: AskedSecret,
  stored: StoredSecret,
): boolean {
  const stages = listed[versionId ?? stored.versionId];
  if (versionId !== undefined && versionStage === undefined) return stages !== undefined;
  return stages?.includes(versionStage ?? CURRENT) === true;
}
