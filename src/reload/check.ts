import { type Failure, failure } from '../base/errors.ts';
import type { Emit } from '../base/fact.ts';
import type { CommandReloadConfig } from '../config/config.ts';
import type { Environment } from '../config/environment.ts';
import { createCommandReload } from './command.ts';
import type { ReloadedOutput } from './reload.ts';

/** Looks at a candidate before it is published. */
export interface Check {
  /** Configuration path, for errors. */
  readonly place: string;
  /** How long `run` may take. */
  readonly timeoutMs: number;
  /**
   * Resolves to undefined when the candidate is good, to OUTPUT_CHECK_FAILED when it is not, and to CANCELLED when
   * `signal` aborts. Never throws.
   * @param candidate its directory, an absolute path, and its number.
   */
  run(candidate: Candidate, signal: AbortSignal): Promise<Failure | undefined>;
}

interface Candidate {
  readonly dir: string;
  readonly generation: number;
}

/** What stands for the candidate's directory in the arguments of a check. */
const DIR = '{dir}';

/**
 * Makes the check that a configuration describes: a command, whose exit status 0 means that the candidate is good. Each
 * `{dir}` in its arguments is replaced by the candidate's directory, which PANNIER_DIR holds as well; the rest of its
 * environment is that of a reload command.
 */
export function createCheck(
  config: CommandReloadConfig,
  { name }: Pick<ReloadedOutput, 'name'>,
  env: Environment,
  emit: Emit,
): Check {
  const { place, timeoutMs } = config;
  return {
    place,
    timeoutMs,
    async run({ dir, generation }, signal) {
      const argv = config.argv.map((argument) => argument.replaceAll(DIR, () => dir));
      const why = await createCommandReload({ ...config, argv }, { name, dir }, env, emit).run(generation, signal);
      if (why === undefined || why.code === 'CANCELLED') return why;
      return failure('OUTPUT_CHECK_FAILED', place, why.seen);
    },
  };
}
