import { type ConfigPath, pathKey } from '../place.ts';

/** A map in a configuration file, before it is checked. */
export type ConfigTree = Readonly<Record<string, unknown>>;

/** One parsed configuration file. */
export interface SourceFile {
  /** Absolute. */
  readonly path: string;
  /** The directory that its relative paths start from. */
  readonly dir: string;
  /** Its short name in messages. */
  readonly label: string;
  /** Its content, with filled references. */
  readonly tree: ConfigTree;
  /** The line of a section, or of a name in a section. Undefined when the file does not have it. */
  lineOf(section: string, name?: string): number | undefined;
  /**
   * Paths (`pathKey`) whose value has text from a reference: it is not written literally, and no message may show it.
   */
  readonly filled: ReadonlySet<string>;
  /** Paths (`pathKey`) with a reference that could not be filled, which was reported. */
  readonly unfilled: ReadonlySet<string>;
}

/** What a parser makes of a file. */
export interface ParsedFile {
  /** Undefined: the file has a syntax error, which was reported. */
  readonly tree: unknown;
  /** The lines of sections and of names in sections, by `pathKey`. */
  readonly lines: ReadonlyMap<string, number>;
}

/** Whether a value is a map. */
export function isTree(value: unknown): value is ConfigTree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether a reference at this path, or below it, could not be filled. */
export function isUnfilled({ unfilled }: SourceFile, path: ConfigPath): boolean {
  if (unfilled.size === 0) return false;
  const key = pathKey(path);
  return [...unfilled].some((at) => at === key || at.startsWith(`${key}\0`));
}
