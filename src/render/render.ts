import type { Failure } from '../base/errors.ts';
import type { SecretRequest } from '../config/config.ts';
import type { PathRequests } from '../config/sections/backends/path-requests.ts';
import type { Snapshot } from '../lease/snapshot.ts';

/** The outcome of rendering all files of one output. */
export type Rendered =
  /** Bytes by file name. */
  | { readonly kind: 'files'; readonly files: ReadonlyMap<string, Uint8Array>; readonly computed: ComputedByName }
  /** The secrets in `missing` have no value yet; nothing is wrong so far. */
  | { readonly kind: 'waits'; readonly missing: readonly string[]; readonly computed: ComputedByName }
  | { readonly kind: 'failed'; readonly why: Failure };

/**
 * The secrets whose paths the templates worked out in this render, by a name that no configured secret can have. The
 * caller fetches them and renders the output again. A secret that only an earlier render named is not needed any more.
 */
export type ComputedByName = ReadonlyMap<string, ComputedSecret>;

/** One secret whose path a template worked out. */
export interface ComputedSecret {
  readonly backend: string;
  readonly request: SecretRequest;
  readonly refreshMs: number;
  /** The template, line and column that ask for it, for errors. */
  readonly place: string;
  /** When the backend no longer has it, its last value stays. Absent: it becomes absent. */
  readonly keptWhenGone?: true;
}

/** A place in a template that asks a backend for a secret by a path. */
export interface ComputedCall {
  readonly backend: string;
  readonly what: 'secret' | 'secrets';
  /** Makes the request to the backend for a path. */
  readonly requests: PathRequests;
  /** The part of the path that the template itself writes, up to the first value; it holds no value. */
  readonly begin: string;
  /** `begin` is the whole path. */
  readonly isWhole: boolean;
  /** The template, line and column. */
  readonly place: string;
}

/** Renders one output. Its templates are parsed and checked once, when the renderer is made. */
export interface Renderer {
  /** Names of the secrets that the output needs; it renders again only when one of these changes. */
  readonly wants: ReadonlySet<string>;
  /** Names of the backends that its templates ask for secrets by computed paths. */
  readonly asks: ReadonlySet<string>;
  /** Where its templates ask for secrets by computed paths. Absent: nowhere. */
  calls?(): Promise<readonly ComputedCall[]>;
  /**
   * Pure: the same snapshot gives the same bytes. Never throws; a fault is `failed`.
   * @param snapshot holds the secrets of `wants`, and those that the last render computed.
   * @param options `masked` gives the same files with a mark in the place of every value. The real values still decide
   * conditions and loops, and whether the files can be rendered.
   */
  render(snapshot: Snapshot, options?: { readonly masked?: boolean }): Promise<Rendered>;
}
