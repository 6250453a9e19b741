import type { Code } from '../base/codes.ts';
import type { Ask, At, Expr } from './nodes.ts';

/** Words that ask a backend by a computed path. */
export const isAsk = (name: string): name is Ask['what'] => name === 'secret' || name === 'secrets';

interface Written {
  readonly what: Ask['what'];
  readonly args: readonly Expr[];
  readonly options: readonly (readonly [string, Expr])[];
  readonly at: At;
}

interface Problem {
  readonly code: Code;
  readonly seen: string;
  readonly hint: string;
}

/**
 * `secret PATH [MORE …] [backend="NAME"]` and `secrets PATH …`, checked as far as it can be without a value. The backend
 * may be left out when there is one that can be asked.
 */
export function analyseAsk({ what, args, options, at }: Written, backends: readonly string[]): Ask | Problem {
  const refused = (seen: string, hint: string): Problem => ({ code: 'TEMPLATE_REFUSED', seen, hint });
  if (args.length === 0) return refused(`${what} without a path`, `Write (${what} "secret/app").`);
  const unknown = options.find(([key]) => key !== 'backend')?.[0];
  if (unknown !== undefined) return refused(`${what} has no option ${unknown}`, 'It takes backend="NAME".');
  const given = options[0]?.[1];
  if (given !== undefined && (given.kind !== 'literal' || given.value.type !== 'string')) {
    return refused(`${what} with a backend that is not a literal`, 'Write backend="NAME".');
  }
  const name = given?.kind === 'literal' ? given.value.exposeText('file') : undefined;
  const known = `Backends of kind vault: ${backends.join(', ') || 'none'}.`;
  if (name !== undefined && !backends.includes(name)) {
    return { code: 'TEMPLATE_UNKNOWN_NAME', seen: `no backend that ${what} can ask is named so`, hint: known };
  }
  const [only, ...others] = backends;
  const backend = name ?? (others.length === 0 ? only : undefined);
  if (backend === undefined) return refused(`${what} does not say which backend`, `Add backend="NAME". ${known}`);
  return { kind: 'ask', what, path: args, backend, isLiteral: args.every(({ kind }) => kind === 'literal'), at };
}
