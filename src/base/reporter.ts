import type { Emit } from './fact.ts';

/** What works beside the agent, reports about itself, and has something left to send at the end. */
export interface Reporter {
  /** Reports go here from now on. */
  emitTo(emit: Emit): void;
  /** Sends what is left, within a bound. Never rejects. */
  close(): Promise<void>;
}
