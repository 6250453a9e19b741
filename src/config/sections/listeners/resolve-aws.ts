import { parseDuration } from '../../../base/duration.ts';
import type { AwsAgentConfig, AwsOnDemandConfig } from '../../config.ts';
import type { ConfigEntry } from '../../load/entry.ts';
import type { Problems } from '../../problems/problems.ts';
import type { ApiListenerShape } from '../../schema.ts';
import type { BackendKindConfig } from '../backends/kind.ts';
import { configuredHint, type KnownBackends, namesToShow } from '../secrets/resolve.ts';

/** The defaults of the AWS agent, except that it keeps a value until its place is needed. */
const TTL_MS = 300_000;
const MAX_ENTRIES = 1_000;
const MAX_STALE_MS = 86_400_000;
const PATH_PREFIX = '/v1/';
const TOKEN_HEADERS = ['x-aws-parameters-secrets-token', 'x-vault-token'];

const ROLE_ARN = /^arn:[\w-]+:iam::\d{12}:role\/[\w+=,.@/-]+$/;

/** Keys that mean nothing without `onDemand`. */
const ON_DEMAND_KEYS = ['backend', 'allow', 'parameters', 'roleArns', 'ttl', 'maxEntries', 'maxStale'] as const;

type AwsShape = NonNullable<ApiListenerShape['aws']>;

/** The `aws` of a listener of the API; undefined when something is wrong with it. */
export function resolveAwsAgent(
  shape: AwsShape,
  listener: ApiListenerShape,
  { file, path }: ConfigEntry,
  known: KnownBackends,
  kinds: readonly BackendKindConfig[],
  problems: Problems,
): AwsAgentConfig | undefined {
  const entry = { file, path: [...path, 'aws'] };
  const before = problems.count;
  const { pathPrefix = PATH_PREFIX, tokenHeaders = TOKEN_HEADERS } = shape;
  if (!/^\/[\w.~/-]*$/.test(pathPrefix)) {
    const seen = 'a path that begins with / is expected';
    problems.add('CONFIG_INVALID', file, [...entry.path, 'pathPrefix'], seen, 'Write it as in the AWS agent: /v1/.');
  }
  if (listener.control === true) {
    const seen = 'a listener with aws speaks the API of the AWS agent, which cannot stop anything';
    problems.add('CONFIG_INVALID', file, [...path, 'control'], seen, 'Remove control, or make two listeners.');
  }
  const onDemand = resolveOnDemand(shape, entry, known, kinds, problems);
  if (problems.count > before) return undefined;
  return {
    pathPrefix,
    tokenHeaders: tokenHeaders.map((name) => name.toLowerCase()),
    ...(onDemand === undefined ? {} : { onDemand }),
  };
}

function resolveOnDemand(
  shape: AwsShape,
  entry: ConfigEntry,
  known: KnownBackends,
  kinds: readonly BackendKindConfig[],
  problems: Problems,
): AwsOnDemandConfig | undefined {
  const { file, path } = entry;
  if (shape.onDemand !== true) {
    for (const key of ON_DEMAND_KEYS.filter((one) => shape[one] !== undefined)) {
      const seen = `${key} goes with onDemand: true`;
      problems.add('CONFIG_INVALID', file, [...path, key], seen, 'Add onDemand: true, or remove it.');
    }
    return undefined;
  }
  const { allow = [], parameters, roleArns = [], ttl, maxEntries = MAX_ENTRIES, maxStale } = shape;
  if (allow.length === 0 && (parameters ?? []).length === 0) {
    const seen = 'onDemand is true, and neither allow nor parameters names anything';
    const hint =
      'Write the names that clients may read, such as prod/shop/*; "*" is all that the credentials may read.';
    problems.add('CONFIG_MISSING', file, [...path, 'allow'], seen, hint);
  }
  for (const key of ['allow', 'parameters'] as const) {
    for (const [index, pattern] of (shape[key] ?? []).entries()) {
      if (!pattern.includes('?')) continue;
      const seen = 'no name has a ?, and * alone stands for other characters';
      problems.add('CONFIG_INVALID', file, [...path, key, index], seen, 'Write *.');
    }
  }
  for (const [index, arn] of roleArns.entries()) {
    if (ROLE_ARN.test(arn)) continue;
    problems.add('CONFIG_INVALID', file, [...path, 'roleArns', index], 'the ARN of a role is expected');
  }
  const backend = chooseBackend(shape.backend, entry, known, kinds, problems);
  if (backend === undefined) return undefined;
  return {
    backend,
    allow,
    ...(parameters === undefined ? {} : { parameters }),
    roleArns,
    ttlMs: ttl === undefined ? TTL_MS : (parseDuration(ttl) as number),
    maxEntries,
    maxStaleMs: maxStale === undefined ? MAX_STALE_MS : (parseDuration(maxStale) as number),
    place: problems.placeIn(file, path),
  };
}

/** The backend that is named, or else the only one that can be read by the names of clients. */
function chooseBackend(
  backend: string | undefined,
  { file, path }: ConfigEntry,
  { names, resolved, nearest }: KnownBackends,
  kinds: readonly BackendKindConfig[],
  problems: Problems,
): string | undefined {
  const fittingKinds = kinds.filter(({ hasAwsProtocol }) => hasAwsProtocol).map(({ kind }) => kind);
  const isFitting = (name: string) => {
    const kind = resolved.get(name)?.kind;
    return kind === undefined || fittingKinds.includes(kind); // a backend with problems has been reported already
  };
  const at = [...path, 'backend'];
  if (backend === undefined) {
    const [only, ...others] = names.filter(isFitting);
    if (only !== undefined && others.length === 0) return only;
    const seen =
      only === undefined
        ? `there is no backend of kind ${fittingKinds.join(' or ')}`
        : `backend is absent, and there are several: ${namesToShow([only, ...others])}`;
    problems.add('CONFIG_MISSING', file, at, seen);
  } else if (!names.includes(backend)) {
    const unknown = { what: 'backend', name: backend, near: nearest(backend) };
    problems.addUnknown('CONFIG_UNKNOWN_BACKEND', file, at, unknown, configuredHint(names));
  } else if (isFitting(backend)) return backend;
  else {
    const kind = resolved.get(backend)?.kind;
    problems.add(
      'CONFIG_INVALID',
      file,
      at,
      `${backend} is of kind ${kind}, and this takes ${fittingKinds.join(' or ')}`,
    );
  }
  return undefined;
}
