/** What is logged, in which form, and where. */
export interface LogConfig {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';
  /** `auto`: pretty on a terminal, JSON in a file and anywhere else. */
  readonly format: 'auto' | 'json' | 'pretty';
  /** Absolute path of the file that gets the lines. Absent: they go to standard error. */
  readonly file?: string;
}
