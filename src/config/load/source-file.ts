import { type ConfigPath, pathKey } from '../place.ts';

/** A map in a configuration file, before it is checked. */
export type ConfigTree = Readonly<Record<string, unknown>>;

/** One parsed configuration file. */
export interface SourceFile {
  /** Absolute. */
  readonly path: string;
  /** The directory that its relative paths start from. */
  readonly dir: string;
  /** Its name in messages, as it was given. */
  readonly label: string;
  /** Its content, with filled references. */
  readonly tree: ConfigTree;
  /**
   * Paths (`pathKey`) whose value has text from a reference: it is not written literally, and no message may show it.
   */
  readonly filled: ReadonlySet<string>;
  /** Paths, by their `pathKey`, with a reference that could not be filled, which was reported. */
  readonly unfilled: ReadonlyMap<string, ConfigPath>;
}

/** Whether a value is a map. */
export function isTree(value: unknown): value is ConfigTree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether a reference at this path, or below it, could not be filled. */
export function isUnfilled({ unfilled }: SourceFile, path: ConfigPath): boolean {
  if (unfilled.size === 0) return false;
  const key = pathKey(path);
  return [...unfilled.keys()].some((at) => at === key || at.startsWith(`${key}\0`));
}

/** The paths at this one and below it whose references could not be filled. */
export function unfilledBelow({ unfilled }: SourceFile, path: ConfigPath): readonly ConfigPath[] {
  const key = pathKey(path);
  return [...unfilled].flatMap(([at, whole]) => (at === key || at.startsWith(`${key}\0`) ? [whole] : []));
}
