import type { ConfigSource } from '../agent/follow-config.ts';
import type { Plan } from '../agent/plan.ts';
import { failure } from '../base/errors.ts';
import { isSamePlainData } from '../base/plain-data-equal.ts';
import { type CommonOptions, loadPlan, type Setup } from './setup.ts';

export interface FollowedConfig {
  /** Throws when the command cannot run a plan. */
  readonly check: (plan: Plan) => void;
  /** The signal to read the configuration and open the log file again. Absent: only changed files are read again. */
  readonly signal?: NodeJS.Signals;
}

/** The configuration files that the command line names, as a source that can be loaded again. */
export function configSource(
  options: CommonOptions,
  { log, plan, context }: Setup,
  { check, signal }: FollowedConfig,
): ConfigSource {
  let applied = plan.config.log;
  let { traces } = plan.config;
  return {
    async load() {
      const next = await loadPlan(options);
      check(next);
      return next;
    },
    onAsked(asked) {
      if (signal === undefined) return { [Symbol.dispose]: () => {} };
      // The log is opened first: a rotated file is closed even when the new configuration is refused.
      const onSignal = () => {
        void log.reopen();
        asked();
      };
      process.on(signal, onSignal);
      return { [Symbol.dispose]: () => void process.off(signal, onSignal) };
    },
    async onApplied({ config }) {
      if (!isSamePlainData(applied, config.log)) await log.reopen(config.log);
      const isSent = isSamePlainData(applied.otlp, config.log.otlp);
      applied = config.log;
      const warn = (code: 'LOGS_UNUSABLE' | 'TRACES_UNUSABLE', place: string, what: string) => {
        const seen = `the ${what} has changed, and is read at the start of the agent only`;
        context.emit({ kind: 'agent-warning', warning: failure(code, place, seen) });
      };
      if (!isSent) warn('LOGS_UNUSABLE', 'log.otlp', 'key');
      if (isSamePlainData(traces, config.traces)) return;
      traces = config.traces;
      warn('TRACES_UNUSABLE', 'traces', 'section');
    },
  };
}
