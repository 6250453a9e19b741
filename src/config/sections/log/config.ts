/** What is logged, in which form, and where. */
export interface LogConfig {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';
  /** `auto`: pretty on a terminal, JSON in a file and anywhere else. */
  readonly format: 'auto' | 'json' | 'pretty';
  /** The names of fields in JSON: Pannier's own, of the Elastic Common Schema, or of OpenTelemetry's log data model. */
  readonly schema: 'pannier' | 'ecs' | 'otel';
  /** Absolute path of the file that gets the lines. Absent: they go to standard error. */
  readonly file?: string;
  /** Absolute path of the file that gets the lines of the audit instead, whatever the level. */
  readonly auditFile?: string;
}
