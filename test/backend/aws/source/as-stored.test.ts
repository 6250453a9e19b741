import { describe, expect, it } from 'vitest';
import type { AwsApi, AwsRegion } from '../../../../src/backend/aws/client/client.ts';
import { awsError } from '../../../../src/backend/aws/client/error.ts';
import { createAwsReader } from '../../../../src/backend/aws/source/as-stored.ts';
import type { Code } from '../../../../src/base/codes.ts';
import { asFailure, fail } from '../../../../src/base/errors.ts';
import { FakeClock } from '../../../fake-clock.ts';

const SIGNAL = new AbortController().signal;

/** A reader of a service that fails as `failures` say, one after the other, and then answers. */
function readerOf(failures: readonly (Code | Error)[], keysFail?: Code) {
  const clock = new FakeClock();
  const left = [...failures];
  const sent: number[] = [];
  const region = {
    name: 'eu-west-1',
    isFallback: false,
    localArn: (id) => id,
    homeArn: (arn) => arn,
    async call() {
      sent.push(clock.monoMs());
      const next = left.shift();
      if (next !== undefined) throw next instanceof Error ? next : fail(next, 'backends.aws', 'it failed');
      return { ARN: 'arn', Name: 'name', VersionId: 'v', SecretString: 'text' } as never;
    },
  } satisfies AwsRegion;
  const api: AwsApi = {
    async inOneRegion(_service, _where, _signal, work) {
      if (keysFail !== undefined) throw fail(keysFail, 'backends.aws', 'no keys');
      return await work(region);
    },
  };
  const reader = createAwsReader({ api, clock, random: () => 0.5, place: 'backends.aws' });
  return { reader, clock, sent };
}

/** How reading ended, and how often the service was asked. */
async function outcomeOf({ reader, clock, sent }: ReturnType<typeof readerOf>, isPatient: boolean, roleArn?: string) {
  const asked = { secretId: 'a', ...(roleArn === undefined ? {} : { roleArn }) };
  const outcome = reader.readSecret(asked, isPatient, SIGNAL).then(
    ({ name }) => name,
    (error: unknown) => `${asFailure(error, '').code}${reader.isOfRole(error) ? ' of the role' : ''}`,
  );
  for (let turn = 0; turn < 10; turn++) await clock.advance(2_000);
  return [await outcome, sent.length];
}

describe('a read for a client', () => {
  it.each<[readonly Code[], boolean, readonly unknown[]]>([
    [[], true, ['name', 1]],
    [['BACKEND_THROTTLED', 'BACKEND_UNAVAILABLE'], true, ['name', 3]],
    [['BACKEND_UNREACHABLE', 'BACKEND_TIMEOUT', 'BACKEND_THROTTLED'], true, ['BACKEND_THROTTLED', 3]],
    [['BACKEND_THROTTLED'], false, ['BACKEND_THROTTLED', 1]],
    [['SECRET_DENIED'], true, ['SECRET_DENIED', 1]],
    [['AUTH_EXPIRED'], true, ['AUTH_EXPIRED', 1]],
    [['BACKEND_MALFORMED'], true, ['BACKEND_MALFORMED', 1]],
  ])('that meets %j, patient: %s, ends with %j', async (failures, isPatient, wanted) => {
    expect(await outcomeOf(readerOf(failures), isPatient)).toEqual(wanted);
  });

  it('is not tried again when the service asks for a longer pause than a client waits', async () => {
    const busy = fail('BACKEND_THROTTLED', 'backends.aws', 'busy', { retryAfterMs: 60_000 });
    expect(await outcomeOf(readerOf([busy]), true)).toEqual(['BACKEND_THROTTLED', 1]);
  });

  it('under a role that cannot be assumed says so, and one without a role does not', async () => {
    const role = 'arn:aws:iam::123456789012:role/r';
    expect(await outcomeOf(readerOf([], 'SECRET_DENIED'), true, role)).toEqual(['SECRET_DENIED of the role', 0]);
    expect(await outcomeOf(readerOf([], 'AUTH_DENIED'), true)).toEqual(['AUTH_DENIED', 0]);
    expect(await outcomeOf(readerOf(['SECRET_DENIED']), true, role)).toEqual(['SECRET_DENIED', 1]);
  });

  it('that the service refuses has its words for the client, and in no text or inspection of the error', async () => {
    const foreign = Object.assign(new Error('words of the service'), {
      name: 'AccessDeniedException',
      $fault: 'client',
      $metadata: { httpStatusCode: 400 },
    });
    const call = { operation: 'secretsmanager GetSecretValue', place: 'backends.aws', nowMs: 0 };
    const { reader } = readerOf([awsError(foreign, call)]);
    const error: unknown = await reader.readSecret({ secretId: 'a' }, true, SIGNAL).catch((thrown: unknown) => thrown);
    expect(reader.answerOf(error)).toEqual({
      type: 'AccessDeniedException',
      message: 'words of the service',
      status: 400,
    });
    const { inspect } = await import('node:util');
    const shown = [String(error), JSON.stringify(error), inspect(error, { showHidden: true, depth: 9 })].join();
    expect(shown).not.toContain('words of the service');
    expect(reader.answerOf(fail('SECRET_DENIED', 'a', 'b'))).toBeUndefined();
  });
});
