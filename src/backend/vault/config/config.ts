import type { Secret } from '../../../base/secret.ts';
import type { BackendConfig, TlsConfig } from '../../../config/config.ts';
import type { AwsBackendConfig } from '../../aws/config/config.ts';

/** A Vault or OpenBao server with its login. */
export interface VaultBackendConfig extends BackendConfig {
  readonly kind: 'vault';
  /** `https://host:port`, `http://…` or `unix:///path`. */
  readonly address: string;
  readonly namespace?: string;
  readonly tls: TlsConfig;
  readonly timeoutMs: number;
  readonly auth: AuthConfig;
  /** How the agent hears of changes. Absent: it polls. */
  readonly events?: EventsConfig;
}

/** Where the agent hears of changes: the server's audit log on this machine, or relays that read it. */
export type EventsConfig = {
  /** How often secrets are polled whose changes are told. */
  readonly pollMs: number;
} & (
  | { readonly kind: 'file'; readonly auditFile: string }
  | {
      readonly kind: 'relay';
      /** One for each node of the server: each node writes its own log. */
      readonly urls: readonly string[];
      readonly tokenFile?: string;
      readonly tls: TlsConfig;
    }
);

interface AuthCommon {
  readonly mount: string;
  readonly revokeOnExit: boolean;
  /** A command that ends by itself sends the credential with each request where the server can; absent: it logs in. */
  readonly inline?: 'auto';
}

/** How a Vault backend logs in; with `none` it does not, and another proxy on the way adds its token. */
export type AuthConfig = AuthCommon &
  (
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
    /** The key pair is in `tls` of the backend. */
    | { readonly method: 'cert'; readonly role?: string }
    /** The request to STS is signed with keys of `account`, which always has a region. */
    | { readonly method: 'aws'; readonly role?: string; readonly serverId?: string; readonly account: AwsBackendConfig }
    | { readonly method: 'userpass' | 'ldap'; readonly username: string; readonly passwordFile: string }
    | { readonly method: 'none' }
  );

/** A way to log in. */
export type LoginConfig = Exclude<AuthConfig, { readonly method: 'none' }>;
