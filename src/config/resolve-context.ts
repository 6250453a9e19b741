import type { Environment } from './environment.ts';
import type { Problems } from './problems/problems.ts';

/** What a part of a configuration is resolved with, beside the entry itself. */
export interface ResolveContext {
  readonly env: Environment;
  /** The directory that relative paths in the environment start from. */
  readonly cwd: string;
  readonly problems: Problems;
}
