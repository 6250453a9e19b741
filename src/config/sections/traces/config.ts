/** Where traces of the agent's own work go. What is absent comes from the variables of OpenTelemetry. */
export interface TracesConfig {
  /** `http://host:port`, with or without a path; `/v1/traces` is put behind it. */
  readonly endpoint?: string;
  /** How the agent is called in traces. */
  readonly service?: string;
  /** Configuration path of the section, for messages. */
  readonly place: string;
}
