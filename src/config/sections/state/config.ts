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

/** Where the key comes from. `beside`: Pannier makes one in the directory itself, which must be on tmpfs. */
export type StateKeyConfig =
  | { readonly from: 'file'; readonly file: string }
  | { readonly from: 'env'; readonly name: string }
  | { readonly from: 'beside' };
