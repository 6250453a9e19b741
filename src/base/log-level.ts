/** From the lines that are told only when asked for to those that always are. */
export const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;

export type LogLevel = (typeof LEVELS)[number];

/** Whether a log at level `a` has more lines than one at `b`. */
export function tellsMore(a: LogLevel, b: LogLevel): boolean {
  return LEVELS.indexOf(a) < LEVELS.indexOf(b);
}

/** The level of a running agent's log, and what may be asked of it. */
export interface LevelControl {
  /** What the configuration says. */
  configured(): LogLevel;
  /** What is in force: the configured one, or one that tells more. */
  level(): LogLevel;
  /**
   * Takes another level until it is changed again; undefined: the configured one. A level that tells less has no
   * effect.
   */
  set(level: LogLevel | undefined): Promise<void>;
}
