import type { BackendKind } from '../backend/kind.ts';
import type { Clock } from '../base/clock.ts';
import type { Emit } from '../base/fact.ts';
import type { Environment } from '../config/environment.ts';

/** What the outside gives the agent: time, randomness, the environment, and where facts go. */
export interface AgentContext {
  readonly clock: Clock;
  readonly random: () => number;
  readonly emit: Emit;
  /** The process environment, read by `cli/` and `config/` only; here for proxies and for what commands inherit. */
  readonly env: Environment;
  /** Ours, for the User-Agent header. */
  readonly version: string;
  /** The kinds of backends that there are; absent: those of `backend/registry.ts`. */
  readonly kinds?: readonly BackendKind[];
}
