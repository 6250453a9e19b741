import type { Parameter } from '@aws-sdk/client-ssm';
import { fail, PannierError } from '../base/errors.ts';
import { Secret } from '../base/secret.ts';
import { equalValues, type Fields, type Value } from '../base/value.ts';
import type { AwsApi } from '../client/aws.ts';
import type { AwsRole, SecretRequest } from '../config/config.ts';
import { fieldsOfText } from './aws-fields.ts';
import { Gather } from './aws-gather.ts';
import type { AwsFetch, AwsTools } from './aws-secret.ts';
import type { Fetch, Fetched } from './source.ts';

type ParameterRequest = Extract<SecretRequest, { kind: 'aws-parameter' }>;
type ParametersRequest = Extract<SecretRequest, { kind: 'aws-parameters' }>;

/** Most names that GetParameters takes, and most that GetParametersByPath gives at once. */
const BATCH = 10;

/**
 * One parameter of Parameter Store by name or ARN, perhaps with `:VERSION` or `:LABEL`, decrypted. A JSON object gives
 * its fields, any other text the one field `value`. There is no cheaper question than the value's own, so a poll reads it.
 * Those asked for together are read ten at a time; when one of them spoils the call, each for itself.
 */
export function createAwsParameter({ api }: AwsTools): AwsFetch<ParameterRequest> {
  const byRole = new Map<string, Gather<Parameter>>();
  return async ({ place }, { name, roleArn, externalId }, last, signal) => {
    const role = { ...(roleArn === undefined ? {} : { roleArn }), ...(externalId === undefined ? {} : { externalId }) };
    const key = JSON.stringify([roleArn, externalId]);
    const gather = byRole.get(key) ?? gatherFor(api, role);
    byRole.set(key, gather);
    const { Value: text, Version } = await gather.read(name, place, signal);
    if (text === undefined) throw fail('SECRET_EMPTY', place, 'the parameter holds no value');
    return answer(fieldsOfText(text), String(Version), last);
  };
}

function gatherFor(api: AwsApi, role: AwsRole): Gather<Parameter> {
  return new Gather({
    size: BATCH,
    async one(Name, place, signal) {
      const { Parameter: found } = await api.call(
        'GetParameter',
        { Name, WithDecryption: true },
        { place, role },
        signal,
      );
      if (found === undefined) throw fail('BACKEND_MALFORMED', place, 'the answer holds no parameter');
      return found;
    },
    async many(ids, placeOf, signal) {
      const answers = new Map<string, Parameter>();
      try {
        const where = { place: placeOf(ids[0] as string), role };
        const { Parameters } = await api.call(
          'GetParameters',
          { Names: [...ids], WithDecryption: true },
          where,
          signal,
        );
        for (const one of Parameters ?? []) {
          for (const id of ids) if (isOf(one, id)) answers.set(id, one);
        }
      } catch (error) {
        if (!(error instanceof PannierError && /^SECRET_|^BACKEND_REJECTED$/.test(error.failure.code))) throw error;
      }
      return answers;
    },
  });
}

function isOf({ Name, ARN, Selector = '' }: Parameter, id: string): boolean {
  return id === `${Name}${Selector}` || id === `${ARN}${Selector}`;
}

/**
 * All parameters below a path, at any depth, as one secret: a field for each, named by what follows the path, with its
 * text for the value.
 */
export function createAwsParameters({ api }: AwsTools): AwsFetch<ParametersRequest> {
  return async ({ place }, { path, ...role }, last, signal) => {
    const found: [string, Value][] = [];
    const versions: number[] = [];
    let NextToken: string | undefined;
    do {
      const page = await api.call(
        'GetParametersByPath',
        {
          Path: path,
          Recursive: true,
          WithDecryption: true,
          MaxResults: BATCH,
          ...(NextToken === undefined ? {} : { NextToken }),
        },
        { place, role },
        signal,
      );
      for (const { Name = '', Value: text, Version = 0 } of page.Parameters ?? []) {
        if (text === undefined || !Name.startsWith(path)) continue;
        found.push([Name.slice(path.length), Secret.text(text)]);
        versions.push(Version);
      }
      NextToken = page.NextToken || undefined;
    } while (NextToken !== undefined);
    if (found.length === 0) throw fail('SECRET_NOT_FOUND', place, 'no parameter is below the path');
    found.sort(([a], [b]) => (a < b ? -1 : 1));
    const sum = versions.reduce((total, version) => total + version, 0);
    return answer(new Map(found), `${found.length}-${sum}`, last);
  };
}

function answer(fields: Fields, version: string, last: Fetched | undefined): Fetch {
  const life = { kind: 'none' } as const;
  if (last !== undefined && equalValues(last.fields, fields)) return { state: 'unchanged', life };
  return { state: 'changed', value: { fields, version, life } };
}
