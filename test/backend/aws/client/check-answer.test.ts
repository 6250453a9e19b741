import { describe, expect, it } from 'vitest';
import { checkAnswer } from '../../../../src/backend/aws/client/check-answer.ts';
import { PannierError } from '../../../../src/base/errors.ts';

const CANARY = 'canary-answer';

describe('an answer of AWS', () => {
  it.each<[string, object, string]>([
    ['a list that is a map', { SecretList: {} }, 'SecretList'],
    ['a list that is null', { Parameters: null }, 'Parameters'],
    ['a list of texts where secrets belong', { SecretValues: [CANARY] }, 'SecretValues'],
    ['a name that is a number, in a list', { SecretList: [{ Name: 7 }] }, 'Name'],
    ['a value that is a map, in a parameter', { Parameter: { Value: { a: CANARY } } }, 'Value'],
    ['a text that is a list', { SecretString: [CANARY] }, 'SecretString'],
    ['stages that are numbers', { VersionStages: [1] }, 'VersionStages'],
    ['stages by version that are texts', { VersionIdsToStages: { v1: CANARY } }, 'VersionIdsToStages'],
    ['a token that is a number', { NextToken: 1 }, 'NextToken'],
  ])('with %s is BACKEND_MALFORMED, which names it and shows nothing', (_, answer, member) => {
    let seen: PannierError | undefined;
    try {
      checkAnswer(answer, 'ListSecrets', 'secrets.a');
    } catch (error) {
      if (error instanceof PannierError) seen = error;
    }
    expect(seen?.failure).toMatchObject({ code: 'BACKEND_MALFORMED', place: 'secrets.a' });
    expect(seen?.message).toContain(`${member} in the answer to ListSecrets`);
    expect(seen?.message).not.toContain(CANARY);
  });

  it('that is as it should be, or lacks a member, or has others, is taken', () => {
    const good = {
      $metadata: { httpStatusCode: 200 },
      SecretList: [{ Name: 'a', ARN: 'arn', SecretVersionsToStages: { v1: ['AWSCURRENT'] }, Tags: [{ Key: 'k' }] }],
      NextToken: undefined,
      Other: 7,
    };
    expect(() => checkAnswer(good, 'ListSecrets', 'secrets.a')).not.toThrow();
    expect(() => checkAnswer({}, 'ListSecrets', 'secrets.a')).not.toThrow();
  });
});
