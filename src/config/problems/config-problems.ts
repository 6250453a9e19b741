import { type Failure, ProblemsError } from '../../base/errors.ts';
import type { Config } from '../config.ts';
import type { AskableBackends } from '../sections/backends/path-requests.ts';

/** The entries without problems of a configuration that has some, so that their templates can be checked too. */
export interface CheckableRest {
  readonly outputs: Config['outputs'];
  readonly exec: Config['exec'];
  /** The names that templates may use, also those of secrets and backends with problems. */
  readonly known: { readonly secrets: ReadonlySet<string>; readonly backends: AskableBackends };
}

/** The problems of a configuration. `rest` is undefined when a file could not be read or parsed. */
export class ConfigProblemsError extends ProblemsError {
  readonly rest: CheckableRest | undefined;

  constructor(failures: readonly Failure[], rest?: CheckableRest) {
    super(failures);
    this.rest = rest;
  }
}
