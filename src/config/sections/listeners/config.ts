/** Where a server of the agent's own listens. */
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

export interface ApiConfig {
  /** One at least. */
  readonly listeners: readonly ApiListenerConfig[];
  /** Which reads the log tells: each, the first of each value, or none. */
  readonly audit: 'all' | 'changes' | 'off';
}

export interface ApiListenerConfig {
  readonly where: ListenConfig;
  /** Configuration path: `api`, or `api.listeners[0]`. */
  readonly place: string;
  /** Requests must carry what stands in there; always there for TCP. */
  readonly tokenFile?: string;
  /** The secrets that it shows; absent: all. */
  readonly secrets?: readonly string[];
  /** Whether the agent can be stopped over it. */
  readonly control: boolean;
  readonly maxConnections: number;
}

/** A way for clients of the backend itself to reach it through the agent. */
export interface ProxyConfig {
  /** One at least. */
  readonly listeners: readonly ProxyListenConfig[];
  /** Of kind vault. */
  readonly backend: string;
  /** The agent's own token goes with requests that carry none (`true`), with all (`force`), or with none. */
  readonly useAutoAuthToken: boolean | 'force';
  /** Clients' requests go with the client certificate of the backend's `tls`, which may be a login. */
  readonly useClientCertificate: boolean;
  /** Absent: nothing is cached. */
  readonly cache?: ProxyCacheConfig;
}

export interface ProxyListenConfig {
  readonly where: ListenConfig;
  /** Configuration path, for errors. */
  readonly place: string;
  /** Refuse what comes without `X-Vault-Request: true`. */
  readonly requireRequestHeader: boolean;
}

export interface ProxyCacheConfig {
  readonly maxEntries: number;
  /** Of all answers together, with their headers. */
  readonly maxBytes: number;
  /** Absent: KV is read anew each time. */
  readonly staticKv?: {
    /** No answer is given that is older. */
    readonly maxStaleMs: number;
  };
}

export interface AdminConfig {
  readonly where: ListenConfig;
  /** Configuration path, for errors. */
  readonly place: string;
}
