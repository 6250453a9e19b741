import type { Failure } from '../base/errors.ts';
import type { Snapshot } from '../lease/snapshot.ts';

/** The outcome of rendering all files of one output. */
export type Rendered =
  | { readonly kind: 'files'; readonly files: ReadonlyMap<string, Uint8Array> }
  /** Secrets without a value yet; nothing is wrong so far. */
  | { readonly kind: 'waits'; readonly missing: readonly string[] }
  | { readonly kind: 'failed'; readonly why: Failure };

/** Renders one output. Parsed and checked once, when it is made. */
export interface Renderer {
  /** Names of the secrets that the output needs; it renders again only when one of these changes. */
  readonly wants: ReadonlySet<string>;
  /** Pure: the same snapshot gives the same bytes. Never throws; a fault is `failed`. */
  render(snapshot: Snapshot): Promise<Rendered>;
}
