/** What is logged, in which form, and where. */
export interface LogConfig {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';
  /** `auto`: pretty on a terminal, JSON in a file and anywhere else. */
  readonly format: 'auto' | 'json' | 'pretty';
  /** The names of fields in JSON: Pannier's own, of the Elastic Common Schema, or of OpenTelemetry's log data model. */
  readonly schema: 'pannier' | 'ecs' | 'otel';
  /** Absolute path of the file that gets the lines. Absent: they go to standard error. */
  readonly file?: string;
  /** What gets the lines of the audit instead, whatever the level. Absent: they are in the log. */
  readonly audit?: AuditTarget;
  /** The lines of the log are sent by OTLP too. Absent: they are not. */
  readonly otlp?: OtlpLogsConfig;
}

export type AuditTarget =
  | { readonly kind: 'file'; readonly path: string }
  /** A stream socket that another program listens on; the path is absolute. */
  | { readonly kind: 'socket'; readonly path: string }
  | { readonly kind: 'stdout' };

/** Where log lines are sent. What is absent comes from the section `traces`, or from the variables of OpenTelemetry. */
export interface OtlpLogsConfig {
  /** `http://host:port`, with or without a path; `/v1/logs` is put behind it. */
  readonly endpoint?: string;
  /** Configuration path, for messages. */
  readonly place: string;
}
