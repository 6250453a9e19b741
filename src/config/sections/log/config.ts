export interface LogConfig {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';
  /** `auto`: pretty on a terminal, JSON elsewhere and in a file. */
  readonly format: 'auto' | 'json' | 'pretty';
  /** Takes the lines in the place of standard error. */
  readonly file?: string;
}
