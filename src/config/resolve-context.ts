import type { Environment } from './environment.ts';
import type { Problems } from './problems/problems.ts';

/** What the resolution of an entry needs besides the entry itself. */
export interface ResolveContext {
  readonly env: Environment;
  /** The directory that relative paths in environment variables start from. */
  readonly cwd: string;
  readonly problems: Problems;
}
