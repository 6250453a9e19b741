import type { Path } from '../place.ts';
import type { SourceFile } from './source-file.ts';

/** One named thing, or a part of one, as a file says it. */
export interface Entry {
  readonly file: SourceFile;
  readonly path: Path;
}
