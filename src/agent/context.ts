import type { BackendKind } from '../backend/kind.ts';
import type { Clock } from '../base/clock.ts';
import type { Emit } from '../base/fact.ts';
import type { Reporter } from '../base/reporter.ts';
import type { Tracing } from '../base/tracing.ts';
import type { Environment } from '../config/environment.ts';

/** What the outside gives the agent: time, randomness, the environment, and where facts go. */
export interface AgentContext {
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly emit: Emit;
  /** The process environment: HTTP proxies, the service manager, what commands inherit. Settings are in the plan. */
  readonly env: Environment;
  /** Pannier's version, for the User-Agent header. */
  readonly version: string;
  /** Makes traces of what the agent does; absent: there are none. */
  readonly tracing?: Tracing;
  /** The log, which reports about lines that it could not write or send. Whoever has made it closes it. */
  readonly log?: Pick<Reporter, 'emitTo'>;
  /** Kinds of backends that a plan may use; absent: those of `backend/registry.ts`. */
  readonly kinds?: readonly BackendKind[];
}
