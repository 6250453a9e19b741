import type { Secret } from '../../../base/secret.ts';

/** When generations are made, and of what: an output's files, or the environment of exec. */
export interface GenerationsConfig {
  readonly name: string;
  /** A change is published when no further one has come for this long. */
  readonly quietMs: number;
  /** A change is published after this long at the latest, also when further ones come. */
  readonly maxWaitMs: number;
  /** Whether the first generation is followed by a reload. */
  readonly reloadOnFirst: boolean;
  /** The replicas of a fleet reload within this time, each at a moment of its own. Absent: at once. */
  readonly reloadSpreadMs?: number;
  /** By the file's path relative to `dir`, or by the name of the variable. */
  readonly files: ReadonlyMap<string, FileConfig>;
  /** The variables that whole secrets give to the environment of exec; those of `files` win. */
  readonly variables?: VariablesConfig;
}

/** Secrets each of whose fields is a variable. */
export interface VariablesConfig {
  /** The configuration path of the sources, for errors. */
  readonly place: string;
  /** As of a format. */
  readonly from: readonly (readonly string[])[];
  readonly options: FormatOptions;
}

/** Files in one directory that change together. */
export interface OutputConfig extends GenerationsConfig {
  readonly dir: string;
  readonly mode: number;
  readonly dirMode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly requireTmpfs: boolean;
  /** How many generations before the published one stay; absent: one. */
  readonly keep?: number;
  readonly reload: readonly ReloadConfig[];
  /** What becomes of files that others have changed: they are told of. Absent: they are restored. */
  readonly drift?: 'report';
  /** What is run on a candidate; a candidate that fails is not published. Absent: candidates are not checked. */
  readonly check?: CommandReloadConfig;
  /** What asks the application after a reload; failing, the generation before is published again. Absent: not asked. */
  readonly verify?: VerifyConfig;
}

/** One file of an output, or one variable of the environment of exec. */
export interface FileConfig {
  /** Its configuration path, for errors: `outputs.shop.files["app.env"]`. */
  readonly place: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly content: FileContent;
}

/** What a file is made of: a template file, a template in the configuration, or fields in a format. */
export type FileContent =
  | { readonly kind: 'template'; readonly path: string; readonly inputs?: ReadonlyMap<string, InputConfig> }
  | {
      readonly kind: 'content';
      readonly text: string;
      /** The NAME of `builtin:NAME`. Absent: the text is from the configuration. */
      readonly builtin?: string;
      readonly inputs?: ReadonlyMap<string, InputConfig>;
    }
  | {
      readonly kind: 'format';
      readonly format: FormatName;
      /** Each source, `app` or `app.key`, split at the first dot: [`app`] or [`app`, `key`]. */
      readonly from: readonly (readonly string[])[];
      /** Holds only options that go with the format. */
      readonly options?: FormatOptions;
    };

/** What a name stands for in one template. */
export interface InputConfig {
  /** Absent: the name stands for a map of `fields` alone. */
  readonly is?: InputSource;
  /** Fields that replace those of `is`, or are added to them. */
  readonly fields: readonly (readonly [field: string, source: InputSource])[];
}

/** A secret or one of its fields, or a value from the configuration. */
export type InputSource =
  /** `from` is `app` or `app.key`, split at the first dot. */
  { readonly kind: 'secret'; readonly from: readonly string[] } | { readonly kind: 'value'; readonly value: Secret };

export type FormatName =
  | 'dotenv'
  | 'json'
  | 'properties'
  | 'raw'
  | 'yaml'
  // Of certificates and keys:
  | 'pem'
  | 'der'
  | 'pkcs12'
  | 'truststore';

/** What of a certificate is in a file. `ca` is each certificate of an authority, `fullchain` leaf and intermediates. */
export type CertificatePart = 'key' | 'leaf' | 'intermediates' | 'root' | 'ca' | 'fullchain';

/** How a private key is written. */
export type KeyFormat = 'pkcs8' | 'pkcs1' | 'sec1';

/** The program that a dotenv file is written for. */
export type DotenvReader = 'sh' | 'docker' | 'node' | 'python' | 'systemd' | 'kubelet';

/** How the fields of the sources become the keys of a file: first `rename`, then `case`, `prefix` and `keys`. */
export interface FormatOptions {
  /** New names for fields that are written as `FIELD` or `SOURCE.FIELD`. */
  readonly rename?: readonly (readonly [from: string, to: string])[];
  readonly case?: 'upper' | 'lower';
  readonly prefix?: string;
  /** Every character that no identifier has becomes `_`. */
  readonly keys?: 'identifier';
  /** Which names of variables are taken. Absent: identifiers. Only of the environment of exec. */
  readonly names?: 'any';
  /** The one reader of a dotenv file. Absent: all of them read the file alike. */
  readonly for?: DotenvReader;
  /** Whether all sources go into one map, instead of one map for each secret. */
  readonly flat?: boolean;
  /** What of the certificate is written, in this order. */
  readonly parts?: readonly CertificatePart[];
  readonly keyFormat?: KeyFormat;
  /** The source of the password: a secret and its field. */
  readonly password?: readonly string[];
  /** The name of the key in a keystore. */
  readonly alias?: string;
}

/** One step that makes the application take a generation up. */
export type ReloadConfig =
  | SignalReloadConfig
  | HttpReloadConfig
  /** Restarts the child of exec. */
  | { readonly kind: 'restart'; readonly place: string }
  | CommandReloadConfig;

/** A program that is run, never by a shell. */
export interface CommandReloadConfig {
  readonly kind: 'command';
  readonly argv: readonly string[];
  readonly timeoutMs: number;
  /** Whether the last lines of its standard error are logged when it fails. */
  readonly captureOutput: boolean;
  readonly place: string;
}

/** A question to the application, asked until it is answered well or the time is over. */
export interface VerifyConfig {
  readonly kind: 'verify';
  readonly ask: HttpReloadConfig | CommandReloadConfig;
  readonly withinMs: number;
  readonly place: string;
}

/** A signal to the process of a pid file, to processes of a name, or to the child of exec. */
export type SignalReloadConfig = {
  readonly kind: 'signal';
  readonly name: NodeJS.Signals;
  readonly place: string;
} & ({ readonly pidFile: string } | { readonly process: string; readonly all: boolean } | { readonly child: true });

/** One HTTP request to the application. */
export interface HttpReloadConfig {
  readonly kind: 'http';
  readonly method: string;
  /** A URL of http or https, without user, password and fragment. */
  readonly url: string;
  /** Absolute path of the unix socket to connect to, whatever host the URL names. */
  readonly socket?: string;
  /** The statuses that count as success. Absent: every 2xx. */
  readonly expect?: readonly number[];
  /** Templates of the values, by the header's name. */
  readonly headers: ReadonlyMap<string, string>;
  /** A template of the body. */
  readonly body?: string;
  readonly caFile?: string;
  readonly timeoutMs: number;
  readonly place: string;
}
