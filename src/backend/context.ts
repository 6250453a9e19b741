import type { Clock } from '../base/clock.ts';
import type { Emit } from '../base/fact.ts';
import type { Tracing } from '../base/tracing.ts';
import type { SecretRequest } from '../config/config.ts';
import type { Environment } from '../config/environment.ts';
import type { KeptLogin } from './kept-login.ts';

/** What the agent gives to every backend that it opens. */
export interface BackendContext {
  readonly clock: Clock;
  /** Returns a number in [0, 1). */
  readonly random: () => number;
  readonly emit: Emit;
  /** The process environment, for proxy variables; the configuration has read everything else from it. */
  readonly env: Environment;
  /** Pannier's version, for the User-Agent header. */
  readonly version: string;
  /** Absent: there are no traces. */
  readonly tracing?: Tracing | undefined;
  /**
   * Lives as long as the agent: what a backend must still know after it was opened again with another configuration.
   * Its keys begin with the kind of the backend.
   */
  readonly kept: Map<string, unknown>;
  /**
   * What is asked of the backend of this name, for a process that ends when it has its answers. Absent: it goes on, or
   * what it asks is not known.
   */
  readonly askedOnce?: (backend: string) => readonly SecretRequest[];
  /**
   * A process begins that stays: its first requests may be spread, see `RequestsConfig.startSpreadMs`. Absent: they are
   * sent at once.
   */
  readonly spreadsStart?: true | undefined;
  /**
   * Gives out the login that an earlier process had at the backend of this name and identity, once. Absent: nothing is
   * kept from one process to the next.
   */
  readonly takeLogin?: (backend: string, identity: string) => KeptLogin | undefined;
}

/** Runs a program, without a shell; resolves to what went wrong in words, or to undefined. Never rejects. */
export type RunCommand = (command: BackendCommand, signal: AbortSignal) => Promise<string | undefined>;

export interface BackendCommand {
  readonly argv: readonly string[];
  /** Variables beside those that every command of the agent has. */
  readonly added: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

/** What a backend is opened with. */
export interface OpeningContext extends BackendContext {
  readonly runCommand: RunCommand;
}
