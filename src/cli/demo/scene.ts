/** What differs between the demo on a file and on OpenBao. */
export interface Scene {
  readonly title: string;
  readonly shown: string;
  /** YAML of the backends section. */
  readonly backends: string;
  /** YAML of the one secret. */
  readonly secret: string;
  readonly rotateTitle: string;
  rotate(): Promise<void>;
}
