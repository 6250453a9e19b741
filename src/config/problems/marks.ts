import type { ConfigPath } from '../place.ts';
import type { YamlReading } from './yaml-reading.ts';

/** A configuration file as it was read. */
export interface ConfigText {
  readonly label: string;
  readonly text: string;
  readonly isJson: boolean;
  /** What was read of it when it is YAML and not long, so that nobody parses it a second time. */
  reading?: YamlReading | undefined;
}

/** Where the parts of one file stand, as offsets in its text. */
export interface Marks {
  /** By `pathKey`. The key, or the item of a list. */
  readonly keys: ReadonlyMap<string, { readonly path: ConfigPath; readonly offset: number }>;
  /** By `pathKey`. Values that are neither maps nor lists nor empty. */
  readonly scalars: ReadonlyMap<string, number>;
  /** By `pathKey`. Texts that stand line by line below a `|`: where the first line begins, and its indentation. */
  readonly blocks: ReadonlyMap<string, { readonly offset: number; readonly indent: number }>;
}
