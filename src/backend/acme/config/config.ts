import type { Secret } from '../../../base/secret.ts';
import type { LocalKey, PrivateKeyFormat } from '../../../certificate/local-key.ts';
import type { BackendConfig, CommandReloadConfig, SecretRequest, TlsConfig } from '../../../config/config.ts';

/** An account at an ACME server, and how the server may convince itself that names belong to this machine. */
export interface AcmeBackendConfig extends BackendConfig {
  readonly kind: 'acme';
  /** The URL of the directory. */
  readonly address: string;
  readonly tls: TlsConfig;
  readonly timeoutMs: number;
  readonly account: AcmeAccountConfig;
  readonly http01?: Http01Config;
  readonly dns01?: Dns01Config;
}

/** Exactly one of `key` and `keyFile` is there. */
export interface AcmeAccountConfig {
  /** In PEM. */
  readonly key?: Secret;
  /** Absolute; made when it is missing. */
  readonly keyFile?: string;
  /** URLs, such as `mailto:ops@example.com`. */
  readonly contact: readonly string[];
  readonly termsAgreed: boolean;
  readonly eab?: ExternalAccount;
}

/** Binds the account to one that exists at the issuer outside of ACME (RFC 8555, section 7.3.4). */
export interface ExternalAccount {
  readonly keyId: string;
  /** In base64url; exactly one of the two is there. */
  readonly hmacKey?: Secret;
  readonly hmacKeyFile?: string;
}

/** Where requests for `/.well-known/acme-challenge/` arrive that are sent to port 80 of a name. */
export interface Http01Config {
  readonly host: string;
  readonly port: number;
}

/** The program that sets and removes DNS records. */
export interface Dns01Config {
  readonly command: CommandReloadConfig;
  /** How long a new record takes until the server finds it. */
  readonly waitMs: number;
}

/** A certificate of an ACME server. */
export interface AcmeRequest extends SecretRequest {
  readonly kind: 'acme';
  /** DNS names and IP addresses. */
  readonly names: readonly string[];
  readonly key: LocalKey & { readonly reuse?: true };
  readonly privateKeyFormat?: PrivateKeyFormat;
  readonly profile?: string;
  /** CA certificates that must have issued it; absent: the chain that came with it. */
  readonly caFile?: string;
}
