import type { Parameter } from '@aws-sdk/client-ssm';
import { fail, PannierError } from '../../../base/errors.ts';
import { Secret } from '../../../base/secret.ts';
import { equalValues, type Fields, type Value } from '../../../base/value.ts';
import type { Fetch, Fetched } from '../../backend.ts';
import type { AwsRegion } from '../client/client.ts';
import { withAsked } from '../client/error.ts';
import type { AwsParameterRequest, AwsParametersRequest, AwsRole } from '../config/request.ts';
import { fieldsOfText } from './fields.ts';
import { Gather } from './gather.ts';
import { digest, pagesOf } from './pages.ts';
import type { AwsFetch, AwsSourceDeps } from './secret.ts';

/** The most names that GetParameters takes, and the most parameters in one answer of GetParametersByPath. */
const BATCH = 10;

/**
 * Fetches one parameter of Parameter Store by name or ARN, perhaps with `:VERSION` or `:LABEL`, decrypted. A JSON
 * object gives its fields, any other text the one field `value`.
 *
 * A poll reads the value, since no cheaper request tells whether it changed. Parameters that are asked for together are
 * read ten at a time; when one of them makes the call fail, each is read alone.
 */
export function createAwsParameter({ api }: AwsSourceDeps): AwsFetch<AwsParameterRequest> {
  const byRole = new Map<string, Gather<Parameter>>();
  return ({ place }, { name, roleArn, externalId }, last, signal) => {
    const role = { ...(roleArn === undefined ? {} : { roleArn }), ...(externalId === undefined ? {} : { externalId }) };
    const key = JSON.stringify([roleArn, externalId]);
    return api.inOneRegion('ssm', { place, role }, signal, async (region) => {
      const gather = byRole.get(key) ?? gatherFor(region, role);
      byRole.set(key, gather);
      const { Value: text, Version } = await gather.read(name, place, signal);
      if (text === undefined) throw fail('SECRET_EMPTY', place, `the parameter ${name} holds no value`);
      return answer(fieldsOfText(text), String(Version), last);
    });
  };
}

function gatherFor(region: AwsRegion, role: AwsRole): Gather<Parameter> {
  return new Gather({
    size: BATCH,
    async readOne(Name, place, signal) {
      const base = baseOf(Name);
      const { Parameter: found } = await region
        .call('GetParameter', { Name, WithDecryption: true }, { place, role }, signal)
        .catch((error: unknown) => {
          throw base === Name ? error : withAsked(error, `version or label ${Name.slice(base.length + 1)}`);
        });
      if (found === undefined)
        throw fail('BACKEND_MALFORMED', place, `the answer to GetParameter of ${Name} holds no parameter`);
      return found;
    },
    async readMany(ids, placeOf, signal) {
      const answers = new Map<string, Parameter>();
      // A call takes a name once only, whatever version is wanted: `readOne` reads further versions of a name.
      const names = [...new Map(ids.map((id) => [baseOf(id), id])).values()];
      try {
        const where = { place: placeOf(ids[0] as string), role };
        const { Parameters } = await region.call(
          'GetParameters',
          { Names: names, WithDecryption: true },
          where,
          signal,
        );
        for (const one of Parameters ?? []) {
          for (const id of names) if (isOf(one, id)) answers.set(id, one);
        }
      } catch (error) {
        if (!(error instanceof PannierError && /^SECRET_|^BACKEND_REJECTED$/.test(error.failure.code))) throw error;
      }
      return answers;
    },
  });
}

/**
 * The name or ARN without `:VERSION` or `:LABEL`. When a name and an ARN of one parameter are in one call, AWS refuses
 * the call, and each is read alone.
 */
function baseOf(id: string): string {
  const at = id.indexOf(':', id.startsWith('arn:') ? id.indexOf(':parameter') + 1 : 0);
  return at === -1 ? id : id.slice(0, at);
}

function isOf({ Name, ARN, Selector = '' }: Parameter, id: string): boolean {
  return id === `${Name}${Selector}` || id === `${ARN}${Selector}`;
}

/**
 * Fetches all parameters below a path, at any depth, as one secret. Each parameter is a field: the name is the rest of
 * the parameter's name after the path, the value its text.
 */
export function createAwsParameters({ api }: AwsSourceDeps): AwsFetch<AwsParametersRequest> {
  return ({ place }, { path, ...role }, last, signal) =>
    api.inOneRegion('ssm', { place, role }, signal, async (region) => {
      const found: [string, Value, number][] = [];
      const input = { Path: path, Recursive: true, WithDecryption: true, MaxResults: BATCH };
      for await (const { Parameters = [] } of pagesOf(place, (token) =>
        region.call('GetParametersByPath', { ...input, ...token }, { place, role }, signal),
      )) {
        for (const { Name = '', Value: text, Version = 0 } of Parameters) {
          if (text === undefined || !Name.startsWith(path)) continue;
          found.push([Name.slice(path.length), Secret.text(text), Version]);
        }
      }
      if (found.length === 0) throw fail('SECRET_NOT_FOUND', place, `there is no parameter below ${path}`);
      found.sort(([a], [b]) => (a < b ? -1 : 1));
      const fields = new Map(found.map(([name, value]) => [name, value]));
      return answer(fields, digest(found.map(([name, , version]) => [name, version])), last);
    });
}

function answer(fields: Fields, version: string, last: Fetched | undefined): Fetch {
  const life = { kind: 'none' } as const;
  if (last !== undefined && equalValues(last.fields, fields)) return { state: 'unchanged', life };
  return { state: 'changed', value: { fields, version, life } };
}
