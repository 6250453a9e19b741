import { type Failure, ProblemsError } from '../../base/errors.ts';
import type { Config } from '../config.ts';
import type { AskableBackends } from '../sections/backends/path-requests.ts';

/** The part of a configuration with problems in which there are none so far: its templates can still be checked. */
export interface CheckableRest {
  readonly outputs: Config['outputs'];
  readonly exec: Config['exec'];
  /** Names that templates may use, also of secrets and backends with problems. */
  readonly known: { readonly secrets: ReadonlySet<string>; readonly backends: AskableBackends };
}

/** The problems of a configuration; without `rest` when so little could be read that nothing else can be said. */
export class ConfigProblemsError extends ProblemsError {
  readonly rest: CheckableRest | undefined;

  constructor(failures: readonly Failure[], rest?: CheckableRest) {
    super(failures);
    this.rest = rest;
  }
}
