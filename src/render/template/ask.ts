import type { Code } from '../../base/codes.ts';
import { parseDuration } from '../../base/duration.ts';
import { didYouMean, makeNearest } from '../../base/nearest.ts';
import type { AskableBackends } from '../../config/sections/backends/path-requests.ts';
import type { SecretCall, TemplateExpr } from './nodes.ts';
import type { Position } from './position.ts';

/** Whether a call asks a backend for a secret by a computed path. */
export const isSecretCall = (name: string): name is SecretCall['what'] => name === 'secret' || name === 'secrets';

/** A call of `secret` or `secrets` as the template writes it. */
interface ParsedCall {
  readonly what: SecretCall['what'];
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
 * Checks `secret PATH [MORE …] [backend="NAME"] [refresh="30s"]` and `secrets PATH …` as far as is possible without a
 * value. The option `backend` may be left out when only one backend can be asked.
 */
export function analyseSecretCall(
  { what, args, options, at }: ParsedCall,
  backends: AskableBackends,
): SecretCall | Problem {
  const refused = (seen: string, hint: string): Problem => ({ code: 'TEMPLATE_REFUSED', seen, hint });
  if (args.length === 0) return refused(`${what} is called without a path`, `Write (${what} "secret/app").`);
  const unknown = options.find(([key]) => key !== 'backend' && key !== 'refresh')?.[0];
  if (unknown !== undefined) {
    return refused(`${what} has no option ${unknown}`, 'It takes backend="NAME" and refresh="5m".');
  }
  const byName = new Map(options);
  if (!isText(byName.get('backend'))) {
    return refused(`the option backend of ${what} is not a literal text`, 'Write backend="NAME".');
  }
  const name = textOf(byName.get('backend'));
  const refreshMs = refreshOf(byName.get('refresh'));
  if (refreshMs === 'invalid') {
    return refused(`the option refresh of ${what} is not a literal duration of at least 1s`, 'Write refresh="30s".');
  }
  const known = `Backends that can be asked by a path: ${[...backends.keys()].join(', ') || 'none'}.`;
  if (name !== undefined && !backends.has(name)) {
    const seen = `${what} cannot ask a backend named "${name}"${didYouMean(makeNearest(backends.keys())(name))}`;
    return { code: 'TEMPLATE_UNKNOWN_NAME', seen, hint: known };
  }
  const [only, ...others] = backends.keys();
  const backend = name ?? (others.length === 0 ? only : undefined);
  const requests = backend === undefined ? undefined : backends.get(backend);
  if (backend === undefined || requests === undefined) {
    if (backends.size === 0)
      return refused(`there is no backend that ${what} can ask`, 'Configure a backend of kind vault.');
    return refused(`${what} does not say which of several backends to ask`, `Add backend="NAME". ${known}`);
  }
  const isLiteral = args.every(({ kind }) => kind === 'literal');
  return {
    kind: 'secret-call',
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

/** Limits the load on the server: a list may name many secrets, each of which is polled. */
const MIN_REFRESH_MS = 1_000;

function refreshOf(given: TemplateExpr | undefined): number | 'invalid' | undefined {
  if (given === undefined) return undefined;
  const ms = isText(given) ? parseDuration(textOf(given) ?? '') : undefined;
  return ms === undefined || ms < MIN_REFRESH_MS ? 'invalid' : ms;
}
