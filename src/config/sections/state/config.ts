/** Where what an agent knows is kept, encrypted, for its next start. */
export interface StateConfig {
  /** Absolute path of a directory; Pannier makes it with mode 0700. */
  readonly path: string;
  readonly key: StateKeyConfig;
  /** How old a value without `maxStale` may be at a start. */
  readonly maxAgeMs: number;
  /** Configuration path of the section, for messages. */
  readonly place: string;
}

/**
 * Where the key comes from. `beside`: Pannier makes one in the directory itself, which must be on tmpfs. `wrapped`:
 * Pannier makes one, and a backend encrypts it for the header of the state.
 */
export type StateKeyConfig =
  | { readonly from: 'file'; readonly file: string }
  | { readonly from: 'env'; readonly name: string }
  | { readonly from: 'beside' }
  | ({ readonly from: 'wrapped' } & WrappingKey);

/** The key of a backend that encrypts the key of the state. */
export interface WrappingKey {
  readonly backend: string;
  /** The mount of the engine, without slashes around it. */
  readonly mount: string;
  readonly name: string;
  /** Configuration path, for messages. */
  readonly place: string;
}
