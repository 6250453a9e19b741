import type { Code } from '../../base/codes.ts';
import { parseDuration } from '../../base/duration.ts';
import type { AskableBackends } from '../../config/sections/backends/path-requests.ts';
import type { PathAsk, TemplateExpr } from './nodes.ts';
import type { Position } from './position.ts';

/** Words that ask a backend by a computed path. */
export const isAsk = (name: string): name is PathAsk['what'] => name === 'secret' || name === 'secrets';

interface Written {
  readonly what: PathAsk['what'];
  readonly args: readonly TemplateExpr[];
  readonly options: readonly (readonly [string, TemplateExpr])[];
  readonly at: Position;
}

interface Problem {
  readonly code: Code;
  readonly seen: string;
  readonly hint: string;
}

/**
 * `secret PATH [MORE …] [backend="NAME"] [refresh="30s"]` and `secrets PATH …`, checked as far as it can be without a
 * value. The backend may be left out when there is one that can be asked.
 */
export function analyseAsk({ what, args, options, at }: Written, backends: AskableBackends): PathAsk | Problem {
  const refused = (seen: string, hint: string): Problem => ({ code: 'TEMPLATE_REFUSED', seen, hint });
  if (args.length === 0) return refused(`${what} without a path`, `Write (${what} "secret/app").`);
  const unknown = options.find(([key]) => key !== 'backend' && key !== 'refresh')?.[0];
  if (unknown !== undefined) {
    return refused(`${what} has no option ${unknown}`, 'It takes backend="NAME" and refresh="5m".');
  }
  const given = new Map(options);
  if (!isText(given.get('backend'))) {
    return refused(`${what} with a backend that is not a literal`, 'Write backend="NAME".');
  }
  const name = textOf(given.get('backend'));
  const refreshMs = refreshOf(given.get('refresh'));
  if (refreshMs === 'no duration') {
    return refused(`${what} with a refresh that is no duration of a second or more`, 'Write refresh="30s".');
  }
  const known = `Backends that can be asked by a path: ${[...backends.keys()].join(', ') || 'none'}.`;
  if (name !== undefined && !backends.has(name)) {
    return { code: 'TEMPLATE_UNKNOWN_NAME', seen: `no backend that ${what} can ask is named so`, hint: known };
  }
  const [only, ...others] = backends.keys();
  const backend = name ?? (others.length === 0 ? only : undefined);
  const requests = backend === undefined ? undefined : backends.get(backend);
  if (backend === undefined || requests === undefined)
    return refused(`${what} does not say which backend`, `Add backend="NAME". ${known}`);
  const isLiteral = args.every(({ kind }) => kind === 'literal');
  return {
    kind: 'ask',
    what,
    path: args,
    backend,
    requests,
    ...(refreshMs === undefined ? {} : { refreshMs }),
    isLiteral,
    at,
  };
}

const isText = (given: TemplateExpr | undefined): boolean =>
  given === undefined || (given.kind === 'literal' && given.value.type === 'string');

const textOf = (given: TemplateExpr | undefined): string | undefined =>
  given?.kind === 'literal' ? given.value.exposeText('file') : undefined;

/** Shorter ones would be a load for the server with each secret that a list names. */
const MIN_REFRESH_MS = 1_000;

function refreshOf(given: TemplateExpr | undefined): number | 'no duration' | undefined {
  if (given === undefined) return undefined;
  const ms = isText(given) ? parseDuration(textOf(given) ?? '') : undefined;
  return ms === undefined || ms < MIN_REFRESH_MS ? 'no duration' : ms;
}
