import type { Filter, SecretListEntry } from '@aws-sdk/client-secrets-manager';
import type { Code } from '../../../base/codes.ts';
import { asFailure, type Failure, fail, failure, PannierError } from '../../../base/errors.ts';
import type { Emit } from '../../../base/fact.ts';
import { equalValues, type Fields, type Value } from '../../../base/value.ts';
import type { Fetched } from '../../backend.ts';
import type { AwsRegion, AwsWhere } from '../client/client.ts';
import type { AwsPrefixRequest } from '../config/request.ts';
import { fieldsOf } from './fields.ts';
import { digest, pagesOf } from './pages.ts';
import type { AwsFetch, AwsSourceDeps } from './secret.ts';

/** One secret of the map. */
interface Found {
  /** The name of the field: the name of the secret without the prefix. */
  readonly name: string;
  readonly arn: string;
  /** The id of the AWSCURRENT version and the random end of the ARN; empty when the value could not be read. */
  readonly version: string;
}

const LIFE = { kind: 'none' } as const;

/** The most secrets in one answer of ListSecrets. */
const PAGE = 100;

/** Failures of a secret that was deleted after the list was made: it is left out of the map. */
const GONE: ReadonlySet<Code> = new Set(['SECRET_NOT_FOUND', 'SECRET_DELETED'] satisfies Code[]);

/** Failures of a secret that exists and cannot be read: the other secrets of the map are fetched all the same. */
const UNREADABLE: ReadonlySet<Code> = new Set([
  'SECRET_DENIED',
  'SECRET_UNDECRYPTABLE',
  'SECRET_EMPTY',
  'BACKEND_REJECTED',
] satisfies Code[]);

/**
 * Fetches all secrets whose names begin with `prefix` and that have `tags`, as one map. Each secret is a field: the
 * name is the rest of the secret's name after the prefix, the value a map of the secret's fields. New secrets appear,
 * deleted ones disappear; when none is left the fetch fails with SECRET_NOT_FOUND. In a failover region it fails when
 * the map lacks a secret that the last one had, since that may not be replicated yet.
 *
 * ListSecrets gives the version of each secret, so a poll reads only values that changed. AWS says that the list may be
 * some minutes late (https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_ListSecrets.html).
 *
 * A secret that cannot be read keeps its last value or is left out, with a warning. Any other failure fails the map.
 */
export function createAwsPrefix({ api, values }: AwsSourceDeps, emit: Emit): AwsFetch<AwsPrefixRequest> {
  // The versions of the secrets in the maps that the lease manager holds; this source keeps no values.
  const versionsOf = new WeakMap<Fields, ReadonlyMap<string, string>>();

  async function list(region: AwsRegion, request: AwsPrefixRequest, where: AwsWhere, signal: AbortSignal) {
    const found: Found[] = [];
    const Filters = filtersOf(request);
    const input = { MaxResults: PAGE, ...(Filters.length === 0 ? {} : { Filters }) };
    for await (const { SecretList } of pagesOf(where.place, (token) =>
      region.call('ListSecrets', { ...input, ...token }, where, signal),
    )) {
      if (SecretList === undefined) {
        throw fail('BACKEND_MALFORMED', where.place, `no SecretList in the answer to ListSecrets in ${region.name}`);
      }
      for (const entry of SecretList) {
        const { Name: name = '', ARN: arn = '' } = entry;
        if (!matches(entry, request) || name.length === request.prefix.length) continue;
        found.push({ name: name.slice(request.prefix.length), arn, version: `${currentOf(entry)} ${arn.slice(-6)}` });
      }
    }
    return found.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async function readAll(
    region: AwsRegion,
    request: AwsPrefixRequest,
    found: readonly Found[],
    last: Fetched | undefined,
    where: AwsWhere,
    signal: AbortSignal,
  ) {
    const known = last && versionsOf.get(last.fields);
    let denied: PannierError | undefined;
    const stop = new AbortController();
    const either = AbortSignal.any([signal, stop.signal]);
    const read = async ({ name, arn, version }: Found): Promise<readonly [Found, Value | undefined]> => {
      const kept = last?.fields.get(name);
      if (kept !== undefined && known?.get(name) === version) return [{ name, arn, version }, kept];
      try {
        const value = await values.read(region, arn, where, either);
        return [{ name, arn, version: `${value.VersionId} ${arn.slice(-6)}` }, fieldsOf(value, where.place)];
      } catch (error) {
        const why = asFailure(error, where.place);
        if (GONE.has(why.code)) return [{ name, arn, version: '' }, undefined];
        if (!UNREADABLE.has(why.code)) throw error;
        denied ??= new PannierError(why);
        emit({ kind: 'agent-warning', warning: about(name, why, kept !== undefined) });
        return [{ name, arn, version: '' }, kept];
      }
    };
    const all = await Promise.all(found.map(read)).catch((error: unknown) => {
      stop.abort('another failed');
      throw error;
    });
    const readable = all.flatMap(([one, value]) => (value === undefined ? [] : [[one, value] as const]));
    // An empty map would remove all files of an output, which is not what a configured prefix asks for.
    if (readable.length === 0) {
      throw denied ?? fail('SECRET_NOT_FOUND', where.place, `there is no secret${wantedOf(request)} in ${region.name}`);
    }
    return readable;
  }

  return ({ place }, request, last, signal) => {
    const where = { place, role: request };
    return api.inOneRegion('secretsmanager', where, signal, async (region) => {
      const fields = new Map<string, Value>();
      const versions = new Map<string, string>();
      const found = await list(region, request, where, signal);
      for (const [{ name, version }, value] of await readAll(region, request, found, last, where, signal)) {
        fields.set(name, value);
        versions.set(name, version);
      }
      if (region.isFallback && [...(last?.fields.keys() ?? [])].some((name) => !fields.has(name))) {
        throw fail('SECRET_NOT_FOUND', place, `some secrets are not replicated to ${region.name}`);
      }
      if (last !== undefined && equalValues(last.fields, fields)) {
        versionsOf.set(last.fields, versions);
        return { state: 'unchanged', life: LIFE };
      }
      versionsOf.set(fields, versions);
      return { state: 'changed', value: { fields, version: digest(versions), life: LIFE } };
    });
  };
}

/** What the request asks of a secret, for messages: a space and a clause for each condition. */
function wantedOf({ prefix, tags = {} }: AwsPrefixRequest): string {
  const named = prefix === '' ? [] : [` whose name begins with ${prefix}`];
  const tagged = Object.entries(tags).map(([key, value]) => ` with the tag ${key}=${value}`);
  return [...named, ...tagged].join('');
}

function filtersOf({ prefix, tags = {} }: AwsPrefixRequest): Filter[] {
  const filters: Filter[] = prefix === '' ? [] : [{ Key: 'name', Values: [prefix] }];
  // Filters cannot express a pair of key and value, so one pair narrows the list and `matches` checks all of them. A
  // filter that begins with `!` means all other values, so a pair with such a text is not used.
  const first = Object.entries(tags).find((pair) => !pair.some((text) => text.startsWith('!')));
  if (first !== undefined)
    filters.push({ Key: 'tag-key', Values: [first[0]] }, { Key: 'tag-value', Values: [first[1]] });
  return filters;
}

function matches(
  { Name = '', Tags = [], DeletedDate }: SecretListEntry,
  { prefix, tags = {} }: AwsPrefixRequest,
): boolean {
  if (DeletedDate || !Name.startsWith(prefix)) return false;
  return Object.entries(tags).every(([key, value]) => Tags.some((tag) => tag.Key === key && tag.Value === value));
}

function currentOf({ SecretVersionsToStages = {} }: SecretListEntry): string {
  return Object.entries(SecretVersionsToStages).find(([, stages]) => stages?.includes('AWSCURRENT'))?.[0] ?? '';
}

function about(name: string, { code, place, seen, hint }: Failure, isKept: boolean): Failure {
  return failure(code, place, `${name} is ${isKept ? 'kept as it was' : 'left out'}: ${seen}`, { hint });
}
