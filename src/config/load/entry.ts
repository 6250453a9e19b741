import type { ConfigPath } from '../place.ts';
import type { SourceFile } from './source-file.ts';

/** One named thing, or a part of one, as a file says it. */
export interface ConfigEntry {
  readonly file: SourceFile;
  readonly path: ConfigPath;
}
