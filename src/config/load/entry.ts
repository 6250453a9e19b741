import type { ConfigPath } from '../place.ts';
import type { SourceFile } from './source-file.ts';

/** A part of a configuration file, such as one secret or one file of an output, before it is parsed. */
export interface ConfigEntry {
  readonly file: SourceFile;
  readonly path: ConfigPath;
}
