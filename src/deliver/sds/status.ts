import type { Failure } from '../../base/errors.ts';
import type { SdsSecretConfig } from '../../config/config.ts';

/** What a client said when it refused a secret. */
export interface SdsRefusal {
  readonly atWallMs: number;
  /** The version that it refused. */
  readonly version: string;
  /** How the client calls itself. */
  readonly node: string;
  readonly why: Failure;
}

/** One configured name, as status shows it. */
export interface ServedSecret {
  readonly name: string;
  readonly kind: SdsSecretConfig['kind'];
  /** The secrets that it is made of. */
  readonly secrets: readonly string[];
  readonly state: 'ready' | 'awaited' | 'missing';
  readonly version?: string;
  /** How many streams follow it. */
  readonly streams: number;
  /** Why it is missing, or why the secrets that came last cannot be used. */
  readonly why?: Failure;
  /** The last refusal, until a client takes the name up again. */
  readonly refusal?: SdsRefusal;
}

/** The service as status and metrics see it. */
export interface SdsView {
  /** Open streams. */
  readonly streams: number;
  /** Absent: nothing is issued on demand. */
  readonly onDemand: { readonly names: number; readonly max: number } | undefined;
  served(): readonly ServedSecret[];
}
