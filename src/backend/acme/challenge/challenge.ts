/** What an authorization asks for, one way of it. */
export interface Challenge {
  readonly type: 'http-01' | 'dns-01';
  readonly url: string;
  readonly token: string;
}

/** What is to be shown for a name (RFC 8555, section 8.1). Nothing of it is secret. */
export interface Proof {
  /** The name, without the `*.` of a wildcard. */
  readonly name: string;
  readonly token: string;
  readonly keyAuthorization: string;
  /** Configuration path of the secret, for errors. */
  readonly place: string;
}

/** One way to prove that a name belongs to this machine. */
export interface Prover {
  /** Whether two proofs may be shown at the same time. */
  readonly isParallel: boolean;
  /**
   * Shows the proof until the returned function is called, which never throws.
   * @throws PannierError ACME_CHALLENGE_FAILED, CANCELLED
   */
  show(proof: Proof, signal: AbortSignal): Promise<() => Promise<void>>;
}
