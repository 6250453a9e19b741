import type { ListenConfig } from '../listeners/config.ts';
import type { SecretRequest } from '../secrets/config.ts';

/** The server of Envoy's secret discovery service. */
export interface SdsConfig {
  /** At least one. */
  readonly listeners: readonly SdsListenConfig[];
  /** How many streams all clients of a listener may have open. */
  readonly maxStreams: number;
  /** By the name that clients ask for. */
  readonly secrets: ReadonlyMap<string, SdsSecretConfig>;
  /** Absent: a name that `secrets` does not have is unknown. */
  readonly onDemand?: OnDemandConfig;
}

/** One listener of the service. */
export interface SdsListenConfig {
  readonly where: ListenConfig;
  /** Its configuration path, for errors. */
  readonly place: string;
  /** The file with the token that requests must carry; never absent for TCP. Absent: requests need none. */
  readonly tokenFile?: string;
}

/** What clients get under one name. `from` is the name of a secret, and of a field of it if there is one. */
export type SdsSecretConfig =
  | { readonly kind: 'certificate'; readonly from: SdsSource; readonly place: string }
  | {
      readonly kind: 'trust';
      readonly from: SdsSource;
      /** One of them must be in the certificate of a peer. Empty: its names are not looked at. */
      readonly names: readonly SanMatcherConfig[];
      readonly crl?: SdsSource;
      readonly crlOfLeafOnly: boolean;
      readonly maxDepth?: number;
      readonly place: string;
    }
  | { readonly kind: 'generic'; readonly from: SdsSource; readonly place: string }
  | {
      readonly kind: 'session-tickets';
      /** How often a new key takes the first place. */
      readonly rotateMs: number;
      /** How many keys there are, the first one included. */
      readonly keep: number;
      readonly place: string;
    };

export interface SdsSource {
  readonly secret: string;
  readonly field?: string;
}

/** A name that the certificate of a peer must have. */
export interface SanMatcherConfig {
  readonly type: 'dns' | 'uri' | 'email' | 'ip';
  readonly comparison: 'exact' | 'prefix' | 'suffix' | 'contains';
  readonly value: string;
}

/** Certificates that are issued when a client asks for them. */
export interface OnDemandConfig {
  /** Patterns of names, in lower case; `*` stands for one label. */
  readonly match: readonly string[];
  readonly backend: string;
  /** The request, in which ON_DEMAND_NAME stands for the name that the client asks for. */
  readonly request: SecretRequest;
  /** How many names are kept at once. */
  readonly max: number;
  readonly place: string;
}

/** A DNS name that nobody has (RFC 2606): what checks the certificate of a configuration takes it for one. */
export const ON_DEMAND_NAME = 'on-demand.pannier.invalid';
