import type { Config } from '../config.ts';
import type { MergedFiles } from '../load/merge.ts';
import { type BackendKindConfig, kindOf } from '../sections/backends/kind.ts';
import type { PathRequests } from '../sections/backends/path-requests.ts';
import { type CheckableRest, ConfigProblemsError } from './config-problems.ts';
import type { ConfigText } from './marks.ts';
import { withPositions } from './positions.ts';
import type { FoundProblem } from './problems.ts';

/** What was made of a configuration that is not good. */
export type Made = Pick<Config, 'backends' | 'outputs' | 'exec'> &
  Pick<MergedFiles, 'sections'> & { readonly kinds: readonly BackendKindConfig[] };

/**
 * The problems that were found in these files, with their positions.
 * @param made absent: nothing, since a file could not be read.
 */
export async function makeError(
  found: readonly FoundProblem[],
  texts: Iterable<ConfigText>,
  made?: Made,
): Promise<ConfigProblemsError> {
  const rest = made && { outputs: made.outputs, exec: made.exec, known: namesOf(made, made, made.kinds) };
  return new ConfigProblemsError(await withPositions(found, texts), rest);
}

/**
 * The names that templates may use. A backend whose kind is not known for a problem of its own counts as one that can
 * be asked by a path, so that templates which use it cause no further problem.
 */
function namesOf(
  { sections }: Pick<MergedFiles, 'sections'>,
  { backends }: Pick<Config, 'backends'>,
  kinds: readonly BackendKindConfig[],
): CheckableRest['known'] {
  const anyRequests = kinds.find(({ pathRequests }) => pathRequests !== undefined)?.pathRequests;
  const askable = new Map<string, PathRequests>();
  for (const name of sections.backends.keys()) {
    const config = backends.get(name);
    const requests = config === undefined ? anyRequests : kindOf(kinds, config).pathRequests;
    if (requests !== undefined) askable.set(name, requests);
  }
  return { secrets: new Set(sections.secrets.keys()), backends: askable };
}
