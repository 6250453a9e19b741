import type { BackendConfig, SecretConfig, SecretRequest, WrappingKey } from '../config/config.ts';
import type { BackendContext } from './context.ts';

/** What templates ask a backend for by a path that they work out, and what is known of it without a value. */
export interface ComputedRequest {
  /** The template, line and column. */
  readonly place: string;
  /** The request for the path, or for the part of it that is written in the template when the rest is computed. */
  readonly request: SecretRequest;
  /** `begins`: the path goes on with what a value gives. `none`: not even its beginning is known. */
  readonly known: 'whole' | 'begins' | 'none';
}

/** A backend as `pannier policy` sees it. */
export interface PolicyUse<C extends BackendConfig = BackendConfig> {
  readonly config: C;
  /** Every configured secret of this backend. */
  readonly secrets: readonly SecretConfig[];
  readonly computed: readonly ComputedRequest[];
  /** The key of this backend that encrypts the key of the state. Absent: none does. */
  readonly wrappingKey?: WrappingKey;
  /** Clients ask this backend through the proxy. */
  readonly isProxied: boolean;
  /** For asking the server what the configuration does not say. Absent: nothing is sent. */
  readonly ask?: { readonly context: BackendContext; readonly tokenFile?: string; readonly signal: AbortSignal };
}

/** The least that one identity must be allowed, for what a configuration asks. */
export interface Policy {
  readonly kind: 'vault' | 'iam' | 'rbac';
  readonly backend: string;
  /** Whom the policy is for. */
  readonly who: string;
  /** The policy as its system takes it: HCL, JSON, or manifests in YAML. */
  readonly text: string;
  /** What the policy allows, one entry a line or a statement. */
  readonly rules: readonly PolicyRule[];
  /** What could not be known, in sentences. */
  readonly notes: readonly string[];
}

export interface PolicyRule {
  /** Paths, or ARNs. */
  readonly on: readonly string[];
  /** Capabilities, or actions. */
  readonly allows: readonly string[];
  /** The configuration paths that need it, or what the agent does with it. */
  readonly why: readonly string[];
}

/** Makes the policies for backends of one kind. */
export interface PolicyMaker<C extends BackendConfig = BackendConfig> {
  /** @throws PannierError when the server was to be asked, and cannot be. */
  policiesFor(use: PolicyUse<C>): Promise<readonly Policy[]>;
}
