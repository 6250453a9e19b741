import type { VaultSourceDeps } from './answer.ts';

/** What certificates need: they are looked at between their fetches. */
export interface VaultCertificateDeps extends VaultSourceDeps {
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Aborted when the backend is closed. */
  readonly stop: AbortSignal;
}
