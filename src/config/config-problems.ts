import { type Failure, ProblemsError } from '../base/errors.ts';
import type { OutputConfig } from './config.ts';

/** The part of a configuration with problems in which there are none so far: its templates can still be checked. */
export interface GoodRest {
  readonly outputs: ReadonlyMap<string, OutputConfig>;
  /** Of all secrets, those with problems too. */
  readonly secretNames: ReadonlySet<string>;
}

/** The problems of a configuration; without `rest` when so little could be read that nothing else can be said. */
export class ConfigProblemsError extends ProblemsError {
  readonly rest: GoodRest | undefined;

  constructor(failures: readonly Failure[], rest?: GoodRest) {
    super(failures);
    this.rest = rest;
  }
}
