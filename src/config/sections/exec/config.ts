import type { GenerationsConfig } from '../outputs/config.ts';

/** The child that `pannier exec` runs. */
export interface ExecConfig {
  /** The program and its arguments, not empty. Absent: the command line gives them. */
  readonly command?: readonly string[];
  /** The variables that are made of secrets. Absent: secrets get to the child by files only. */
  readonly env?: GenerationsConfig;
  /** What is done to the child when its variables change. */
  readonly onChange: { readonly kind: 'restart' | 'none' } | { readonly kind: 'signal'; readonly name: NodeJS.Signals };
  /** The signal that asks the child to stop. */
  readonly stopSignal: NodeJS.Signals;
  /** How long the child may take to stop before it gets SIGKILL. */
  readonly graceMs: number;
  /** What `exec` does when the child ends by itself. */
  readonly onExit: 'end' | 'restart';
  /**
   * Whether the child gets, of the agent's variables, those of `inherit` only. Else it gets all, except credentials of
   * backends that `inherit` does not name.
   */
  readonly pristine: boolean;
  /** Names of variables. */
  readonly inherit: readonly string[];
}
