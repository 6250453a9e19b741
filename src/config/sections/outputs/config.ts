import type { Secret } from '../../../base/secret.ts';

/** What makes and moves generations, whatever they are made of. */
export interface GenerationsConfig {
  readonly name: string;
  readonly quietMs: number;
  readonly maxWaitMs: number;
  readonly reloadOnFirst: boolean;
  /** By file name, relative to `dir`, which may hold `/`; by variable. */
  readonly files: ReadonlyMap<string, FileConfig>;
}

export interface OutputConfig extends GenerationsConfig {
  readonly dir: string;
  readonly mode: number;
  readonly dirMode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly requireTmpfs: boolean;
  readonly reload: readonly ReloadConfig[];
}

export interface FileConfig {
  /** Configuration path, for errors: `outputs.shop.files["app.env"]`. */
  readonly place: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly what: FileContent;
}

export type FileContent =
  | { readonly kind: 'template'; readonly path: string; readonly inputs?: ReadonlyMap<string, InputConfig> }
  | {
      readonly kind: 'content';
      readonly text: string;
      /** The NAME of `builtin:NAME`, when that is where the text comes from. */
      readonly builtin?: string;
      readonly inputs?: ReadonlyMap<string, InputConfig>;
    }
  | {
      readonly kind: 'format';
      readonly format: FormatName;
      /** `app` or `app.key`, split at the first dot: [`app`] or [`app`, `key`]. */
      readonly from: readonly (readonly string[])[];
      /** Only what fits the format. */
      readonly options?: FormatOptions;
    };

/** What a name stands for in one template only. */
export interface InputConfig {
  /** Absent: a map of nothing but `fields`. */
  readonly is?: InputSource;
  /** Fields put over those of `is`. */
  readonly fields: readonly (readonly [field: string, source: InputSource])[];
}

export type InputSource =
  /** `app` or `app.key`, split at the first dot. */
  { readonly kind: 'secret'; readonly from: readonly string[] } | { readonly kind: 'value'; readonly value: Secret };

export type FormatName = 'dotenv' | 'json' | 'properties' | 'raw' | 'yaml';

/** How the fields of the sources become the keys of a file: first `rename`, then `case`, then `prefix`. */
export interface FormatOptions {
  /** New names by `FIELD` or `SOURCE.FIELD`. */
  readonly rename?: readonly (readonly [from: string, to: string])[];
  readonly case?: 'upper' | 'lower';
  readonly prefix?: string;
  /** All sources in one map, instead of a map for each secret. */
  readonly flat?: boolean;
}

export type ReloadConfig =
  | SignalReloadConfig
  | HttpReloadConfig
  /** Of the child of exec. */
  | { readonly kind: 'restart'; readonly place: string }
  | {
      readonly kind: 'command';
      readonly argv: readonly string[];
      readonly timeoutMs: number;
      /** The last lines of its standard error are told when it fails. */
      readonly captureOutput: boolean;
      readonly place: string;
    };

export type SignalReloadConfig = {
  readonly kind: 'signal';
  readonly name: NodeJS.Signals;
  readonly place: string;
} & ({ readonly pidFile: string } | { readonly process: string; readonly all: boolean } | { readonly child: true });

export interface HttpReloadConfig {
  readonly kind: 'http';
  readonly method: string;
  /** http or https, without user, password and fragment. */
  readonly url: string;
  /** Unix socket to connect to, whatever host the URL names. */
  readonly socket?: string;
  /** Absent: every 2xx. */
  readonly expect?: readonly number[];
  /** Templates, by the header's name. */
  readonly headers: ReadonlyMap<string, string>;
  /** A template. */
  readonly body?: string;
  readonly caFile?: string;
  readonly timeoutMs: number;
  readonly place: string;
}
