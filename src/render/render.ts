import type { Failure } from '../base/errors.ts';
import type { SecretRequest } from '../config/config.ts';
import type { Snapshot } from '../lease/snapshot.ts';

/** The outcome of rendering all files of one output. */
export type Rendered =
  | { readonly kind: 'files'; readonly files: ReadonlyMap<string, Uint8Array>; readonly computed: ComputedByName }
  /** Secrets without a value yet; nothing is wrong so far. */
  | { readonly kind: 'waits'; readonly missing: readonly string[]; readonly computed: ComputedByName }
  | { readonly kind: 'failed'; readonly why: Failure };

/**
 * The secrets whose paths the templates worked out in this render, by a name that no configured secret can have. They
 * are to be fetched and the output rendered again; what an earlier render named and this one does not is not needed.
 */
export type ComputedByName = ReadonlyMap<string, ComputedSecret>;

export interface ComputedSecret {
  readonly backend: string;
  readonly request: SecretRequest;
  readonly refreshMs: number;
  /** Where in which template, for errors. */
  readonly place: string;
}

/** Renders one output. Parsed and checked once, when it is made. */
export interface Renderer {
  /** Names of the secrets that the output needs; it renders again only when one of these changes. */
  readonly wants: ReadonlySet<string>;
  /** Backends that its templates ask by computed paths. */
  readonly asks: ReadonlySet<string>;
  /**
   * Pure: the same snapshot gives the same bytes. Never throws; a fault is `failed`.
   * @param snapshot with the secrets of `wants`, and those that the last render computed.
   * @param options `masked`: the same files with a mark in the place of every value; what they are made of, and whether
   * they can be, is decided by the values.
   */
  render(snapshot: Snapshot, options?: { readonly masked?: boolean }): Promise<Rendered>;
}
