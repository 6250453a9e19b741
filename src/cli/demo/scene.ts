/** The parts in which the demo on a file and the demo on OpenBao differ. */
export interface Scene {
  /** The text of the first step: which backend there is. */
  readonly title: string;
  /** What the first step shows below its text: the secret at the backend. */
  readonly shown: string;
  /** YAML of the backends section. */
  readonly backends: string;
  /** YAML of the one secret. */
  readonly secret: string;
  /** The text of the step in which the password changes. */
  readonly rotateTitle: string;
  /** Gives the secret another password at the backend. */
  rotate(): Promise<void>;
}
