import type { Failure } from '../base/errors.ts';
import type { Secret } from '../base/secret.ts';

/**
 * The configuration as the rest of the agent sees it: defaults filled, durations in milliseconds, paths absolute,
 * references filled, names checked against each other, frozen. What a file may say is `schema.ts`.
 */
export interface Config {
  readonly backends: ReadonlyMap<string, BackendConfig>;
  readonly secrets: ReadonlyMap<string, SecretConfig>;
  readonly outputs: ReadonlyMap<string, OutputConfig>;
  /** The defaults without such a section. */
  readonly exec: ExecConfig;
  /** Absent: no local API. */
  readonly api?: ApiConfig;
  /** Absent: it is off. */
  readonly proxy?: ProxyConfig;
  /** Health and metrics; absent: served nowhere but on the sockets of the api. */
  readonly admin?: AdminConfig;
  readonly log: LogConfig;
  /** Things worth saying that refuse nothing, such as a secret written literally. */
  readonly warnings: readonly Failure[];
  /** The files this came from, for watching and for messages. */
  readonly files: readonly string[];
  /** The directories that were named; what appears there is part of the configuration. */
  readonly folders: readonly string[];
}

export type BackendConfig = VaultBackendConfig | FileBackendConfig | AwsBackendConfig;

export interface VaultBackendConfig {
  readonly kind: 'vault';
  readonly name: string;
  /** `https://host:port`, `http://…` or `unix:///path`. */
  readonly address: string;
  readonly namespace?: string;
  readonly tls: TlsConfig;
  readonly timeoutMs: number;
  readonly auth: AuthConfig;
}

export interface TlsConfig {
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
  readonly serverName?: string;
  readonly skipVerify: boolean;
}

export interface FileBackendConfig {
  readonly kind: 'file';
  readonly name: string;
  readonly path: string;
}

export interface AwsBackendConfig {
  readonly kind: 'aws-secrets-manager';
  readonly name: string;
  /** Absent: what the shared config file says for the profile. */
  readonly region?: string;
  /** Asked in this order when the one before cannot be reached or answers 5xx. */
  readonly failoverRegions: readonly string[];
  /** `{region}` stands for the region that is asked; absent: AWS's own. */
  readonly endpoints: { readonly secretsManager?: string; readonly ssm?: string; readonly sts?: string };
  /** Assumed with the credentials of `sources`. */
  readonly roleArn?: string;
  readonly externalId?: string;
  readonly roleSessionName: string;
  readonly caFile?: string;
  readonly timeoutMs: number;
  readonly sources: AwsCredentialSources;
}

/** What the environment says about credentials. */
export interface AwsCredentialSources {
  readonly keys?: { readonly accessKeyId: string; readonly secretAccessKey: Secret; readonly sessionToken?: Secret };
  readonly profile: string;
  /** Somebody asked for this profile, so that keys in the environment are not meant. */
  readonly isProfileNamed: boolean;
  readonly credentialsFile: string;
  readonly configFile: string;
  readonly webIdentity?: { readonly tokenFile: string; readonly roleArn: string; readonly sessionName?: string };
  /** ECS, and EKS Pod Identity. */
  readonly container?: { readonly uri: string; readonly authorizationFile?: string; readonly authorization?: Secret };
  /** Address of the instance's metadata service; absent: it may not be asked. */
  readonly instance?: string;
}

export type AuthConfig = { readonly mount: string; readonly revokeOnExit: boolean } & (
  | { readonly method: 'kubernetes'; readonly role: string; readonly tokenFile: string }
  | { readonly method: 'jwt'; readonly role: string; readonly tokenFile: string }
  | { readonly method: 'token'; readonly token?: Secret; readonly tokenFile?: string }
  | {
      readonly method: 'approle';
      readonly roleId?: string;
      readonly roleIdFile?: string;
      readonly secretIdFile?: string;
      readonly secretIdWrapped: boolean;
      readonly removeSecretIdFile: boolean;
    }
  /** The key pair is the backend's `tls`. */
  | { readonly method: 'cert'; readonly role?: string }
  /** The request to STS is signed with keys of `account`, whose region is always there. */
  | { readonly method: 'aws'; readonly role?: string; readonly serverId?: string; readonly account: AwsBackendConfig }
  | { readonly method: 'userpass' | 'ldap'; readonly username: string; readonly passwordFile: string }
);

export interface SecretConfig {
  readonly name: string;
  readonly backend: string;
  /** Configuration path of its request (`secrets.db.read`), for errors. */
  readonly place: string;
  readonly optional: boolean;
  readonly refreshMs: number;
  /** Absent: a value is never too old. */
  readonly maxStaleMs?: number;
  readonly request: SecretRequest;
}

/** Plain data, so that its canonical JSON is part of the secret's identity. */
export type SecretRequest =
  | {
      readonly kind: 'vault-kv';
      readonly path: string;
      readonly version?: number;
      readonly mount?: string;
      readonly kvVersion?: 1 | 2;
      /** The path was worked out from values: it is not told anywhere. */
      readonly isPathPrivate?: true;
    }
  /** The names below a path of a KV engine; only templates ask for it. */
  | { readonly kind: 'vault-list'; readonly path: string; readonly isPathPrivate?: true }
  | { readonly kind: 'vault-read'; readonly path: string; readonly end?: EndField }
  | {
      readonly kind: 'vault-write';
      readonly path: string;
      readonly data: Readonly<Record<string, unknown>>;
      readonly end?: EndField;
    }
  | {
      readonly kind: 'vault-certificate';
      readonly issuer: string;
      readonly role: string;
      readonly commonName: string;
      readonly altNames: readonly string[];
      readonly ipSans: readonly string[];
      readonly uriSans: readonly string[];
      /** As the API takes it (`24h`); absent: the role's own. */
      readonly ttl?: string;
    }
  | { readonly kind: 'file'; readonly key: string }
  | ({
      readonly kind: 'aws-secret';
      /** Name, ARN, or ARN without its random end. */
      readonly secretId: string;
      /** Absent, as `versionId`: AWSCURRENT. */
      readonly stage?: string;
      readonly versionId?: string;
      /** Adds a field of this name with the fields of AWSPREVIOUS, and of AWSPENDING. */
      readonly previous?: true;
      readonly pending?: true;
    } & AwsRole)
  | ({
      readonly kind: 'aws-prefix';
      readonly prefix: string;
      readonly tags?: Readonly<Record<string, string>>;
    } & AwsRole)
  | ({ readonly kind: 'aws-parameter'; readonly name: string } & AwsRole)
  /** All below a path that ends in a slash. */
  | ({ readonly kind: 'aws-parameters'; readonly path: string } & AwsRole);

/** The field of an answer that says when the answer ends. */
export interface EndField {
  readonly field: string;
  /** Absent: a number is Unix seconds, a text is RFC 3339. */
  readonly unit?: EndUnit;
}

/** A time, or a duration from the request on. */
export type EndUnit = 'unix-seconds' | 'unix-milliseconds' | 'seconds' | 'milliseconds';

/** Assumed for one secret with the backend's identity. */
export interface AwsRole {
  readonly roleArn?: string;
  readonly externalId?: string;
}

/** What makes and moves generations, whatever they are made of. */
export interface GenerationsConfig {
  readonly name: string;
  readonly quietMs: number;
  readonly maxWaitMs: number;
  readonly reloadOnFirst: boolean;
  /** By file name, relative to `dir`, which may hold `/`; by variable. */
  readonly files: ReadonlyMap<string, FileConfig>;
}

export interface OutputConfig extends GenerationsConfig {
  readonly dir: string;
  readonly mode: number;
  readonly dirMode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly requireTmpfs: boolean;
  readonly reload: readonly ReloadConfig[];
}

export interface FileConfig {
  /** Configuration path, for errors: `outputs.shop.files["app.env"]`. */
  readonly place: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly what: FileContent;
}

export type FileContent =
  | { readonly kind: 'template'; readonly path: string; readonly inputs?: ReadonlyMap<string, InputConfig> }
  | {
      readonly kind: 'content';
      readonly text: string;
      /** The NAME of `builtin:NAME`, when that is where the text comes from. */
      readonly builtin?: string;
      readonly inputs?: ReadonlyMap<string, InputConfig>;
    }
  | {
      readonly kind: 'format';
      readonly format: FormatName;
      /** `app` or `app.key`, split at the first dot: [`app`] or [`app`, `key`]. */
      readonly from: readonly (readonly string[])[];
      /** Only what fits the format. */
      readonly options?: FormatOptions;
    };

/** What a name stands for in one template only. */
export interface InputConfig {
  /** Absent: a map of nothing but `fields`. */
  readonly is?: InputSource;
  /** Fields put over those of `is`. */
  readonly fields: readonly (readonly [field: string, source: InputSource])[];
}

export type InputSource =
  /** `app` or `app.key`, split at the first dot. */
  { readonly kind: 'secret'; readonly from: readonly string[] } | { readonly kind: 'value'; readonly value: Secret };

export type FormatName = 'dotenv' | 'json' | 'properties' | 'raw' | 'yaml';

/** How the fields of the sources become the keys of a file: first `rename`, then `case`, then `prefix`. */
export interface FormatOptions {
  /** New names by `FIELD` or `SOURCE.FIELD`. */
  readonly rename?: readonly (readonly [from: string, to: string])[];
  readonly case?: 'upper' | 'lower';
  readonly prefix?: string;
  /** All sources in one map, instead of a map for each secret. */
  readonly flat?: boolean;
}

export type ReloadConfig =
  | SignalReloadConfig
  | HttpReloadConfig
  /** Of the child of exec. */
  | { readonly kind: 'restart'; readonly place: string }
  | {
      readonly kind: 'command';
      readonly argv: readonly string[];
      readonly timeoutMs: number;
      /** The last lines of its standard error are told when it fails. */
      readonly captureOutput: boolean;
      readonly place: string;
    };

export type SignalReloadConfig = {
  readonly kind: 'signal';
  readonly name: NodeJS.Signals;
  readonly place: string;
} & ({ readonly pidFile: string } | { readonly process: string; readonly all: boolean } | { readonly child: true });

export interface HttpReloadConfig {
  readonly kind: 'http';
  readonly method: string;
  /** http or https, without user, password and fragment. */
  readonly url: string;
  /** Unix socket to connect to, whatever host the URL names. */
  readonly socket?: string;
  /** Absent: every 2xx. */
  readonly expect?: readonly number[];
  /** Templates, by the header's name. */
  readonly headers: ReadonlyMap<string, string>;
  /** A template. */
  readonly body?: string;
  readonly caFile?: string;
  readonly timeoutMs: number;
  readonly place: string;
}

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

export interface LogConfig {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';
  /** `auto`: pretty on a terminal, JSON elsewhere and in a file. */
  readonly format: 'auto' | 'json' | 'pretty';
  /** Takes the lines in the place of standard error. */
  readonly file?: string;
}
