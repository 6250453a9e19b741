/** Where a listener of the agent listens. */
export type ListenConfig =
  | {
      readonly kind: 'unix';
      /** Absolute. */
      readonly path: string;
      /** Permission bits of the socket file. */
      readonly mode: number;
      readonly uid?: number;
      readonly gid?: number;
    }
  /** `host` is an address or a name, IPv6 without brackets. */
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number };

/** The local API. */
export interface ApiConfig {
  /** At least one. */
  readonly listeners: readonly ApiListenerConfig[];
  /** Which reads of secrets are logged: all, the first of each value, or none. */
  readonly audit: 'all' | 'changes' | 'off';
}

/** One listener of the local API. */
export interface ApiListenerConfig {
  readonly where: ListenConfig;
  /** Its configuration path, for errors: `api`, or `api.listeners[0]`. */
  readonly place: string;
  /** The file with the token that requests must carry; never absent for TCP. Absent: requests need none. */
  readonly tokenFile?: string;
  /** The names of the secrets that it shows. Absent: all. */
  readonly secrets?: readonly string[];
  /** Whether clients may stop the agent. */
  readonly control: boolean;
  readonly maxConnections: number;
  /** The listener speaks the API of the AWS Secrets Manager Agent, and nothing else. Absent: it speaks Pannier's. */
  readonly aws?: AwsAgentConfig;
}

/** How a listener speaks the API of the AWS Secrets Manager Agent. */
export interface AwsAgentConfig {
  /** Begins with a slash. */
  readonly pathPrefix: string;
  /** The headers that may carry the token, in lower case. */
  readonly tokenHeaders: readonly string[];
  /** Absent: only configured secrets are answered. */
  readonly onDemand?: AwsOnDemandConfig;
}

/** What clients of the AWS agent may read that no secret of the configuration names. */
export interface AwsOnDemandConfig {
  /** The name of a backend whose kind speaks AWS's protocol. */
  readonly backend: string;
  /** Patterns of names and ARNs of secrets, in which `*` stands for any characters. */
  readonly allow: readonly string[];
  /** The same for parameters. Absent: parameters cannot be read, as in the AWS agent. */
  readonly parameters?: readonly string[];
  /** The roles that a client may have assumed. */
  readonly roleArns: readonly string[];
  readonly ttlMs: number;
  readonly maxEntries: number;
  /** A value that AWS has not confirmed for so long is dropped. */
  readonly maxStaleMs: number;
  /** Configuration path, for errors. */
  readonly place: string;
}

/** The proxy, by which clients that speak the backend's own API reach it through the agent. */
export interface ProxyConfig {
  /** At least one. */
  readonly listeners: readonly ProxyListenConfig[];
  /** The name of a backend whose kind can have a proxy. */
  readonly backend: string;
  /** Whether requests get the agent's own token: those without a token (`true`), all (`force`), or none (`false`). */
  readonly useAutoAuthToken: boolean | 'force';
  /** Whether requests use the client certificate of the backend's `tls`, by which a server may log a client in. */
  readonly useClientCertificate: boolean;
  /** The namespace of the backend, which clients see as the root; absent: they see those of the server. */
  readonly rootNamespace?: string;
  /** Whether clients may end the agent, by `POST /agent/v1/quit`. */
  readonly quit: boolean;
  /** Absent: nothing is cached. */
  readonly cache?: ProxyCacheConfig;
}

/** One listener of the proxy. */
export interface ProxyListenConfig {
  readonly where: ListenConfig;
  /** Its configuration path, for errors. */
  readonly place: string;
  /** Whether requests without `X-Vault-Request: true` are refused. */
  readonly requireRequestHeader: boolean;
}

/** The cache of the proxy. */
export interface ProxyCacheConfig {
  readonly maxEntries: number;
  /** The size of all cached answers together, with their headers. */
  readonly maxBytes: number;
  /** Absent: reads of KV are not cached. */
  readonly staticKv?: {
    /** An older answer is not used. */
    readonly maxStaleMs: number;
  };
}

/** The listener for health and metrics. */
export interface AdminConfig {
  readonly where: ListenConfig;
  /** Whether it has the status page too. */
  readonly page: boolean;
  /** Its configuration path, for errors. */
  readonly place: string;
}
