import type { GenerationsConfig } from '../outputs/config.ts';

/** The child that `pannier exec` runs. */
export interface ExecConfig {
  /** Not empty; absent: it is on the command line. */
  readonly command?: readonly string[];
  /** The variables made of secrets; absent: files alone. */
  readonly env?: GenerationsConfig;
  /** What becomes of the child when its variables change. */
  readonly onChange: { readonly kind: 'restart' | 'none' } | { readonly kind: 'signal'; readonly name: NodeJS.Signals };
  /** Asks it to stop for a restart. */
  readonly stopSignal: NodeJS.Signals;
  /** How long it may take to stop. */
  readonly graceMs: number;
  /** What becomes of exec when the child ends by itself. */
  readonly onExit: 'end' | 'restart';
  /** Of our own variables it gets those of `inherit` alone; else all, without logins that `inherit` does not name. */
  readonly pristine: boolean;
  readonly inherit: readonly string[];
}
