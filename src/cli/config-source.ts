import type { ConfigSource } from '../agent/follow-config.ts';
import type { Plan } from '../agent/plan.ts';
import { isSamePlainData } from '../base/plain-data-equal.ts';
import { type CommonOptions, loadPlan, type Setup } from './setup.ts';

export interface FollowedConfig {
  /** Throws when a plan does not suit the command. */
  readonly check: (plan: Plan) => void;
  /** Asks for it to be read again, and for the log file to be opened again; absent: changes of files alone do. */
  readonly signal?: NodeJS.Signals;
}

/** The files of the command line, read again when they change or somebody asks. */
export function configSource(
  options: CommonOptions,
  { log, plan }: Setup,
  { check, signal }: FollowedConfig,
): ConfigSource {
  let applied = plan.config.log;
  return {
    async load() {
      const next = await loadPlan(options);
      check(next);
      return next;
    },
    onAsked(asked) {
      if (signal === undefined) return { [Symbol.dispose]: () => {} };
      // A rotated file is let go of also when the configuration turns out to be bad.
      const heard = () => {
        void log.reopen();
        asked();
      };
      process.on(signal, heard);
      return { [Symbol.dispose]: () => void process.off(signal, heard) };
    },
    async onApplied({ config }) {
      if (!isSamePlainData(applied, config.log)) await log.reopen(config.log);
      applied = config.log;
    },
  };
}
