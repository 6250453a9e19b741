import { type ConfigPath, pathKey } from '../place.ts';

/** A map of a configuration file, before anything about it is checked. */
export type ConfigTree = Readonly<Record<string, unknown>>;

/** One parsed configuration file. */
export interface SourceFile {
  /** Absolute. */
  readonly path: string;
  /** What its relative paths are relative to. */
  readonly dir: string;
  /** Its short name in messages. */
  readonly label: string;
  /** References are filled. */
  readonly tree: ConfigTree;
  /** Line of a section, or of a name in a section. */
  lineOf(section: string, name?: string): number | undefined;
  /** Paths (`pathKey`) whose value came out of a reference, so it is neither literal nor ever shown. */
  readonly filled: ReadonlySet<string>;
  /** Paths whose reference could not be filled; they are already reported. */
  readonly unfilled: ReadonlySet<string>;
}

/** What a parser gives: the tree, and where its sections and names stand. */
export interface ParsedFile {
  readonly tree: unknown;
  /** By `pathKey` of a section, or of a name in a section. */
  readonly lines: ReadonlyMap<string, number>;
}

export function isTree(value: unknown): value is ConfigTree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** True when a reference at this place, or below it, could not be filled. */
export function isUnfilled({ unfilled }: SourceFile, path: ConfigPath): boolean {
  if (unfilled.size === 0) return false;
  const key = pathKey(path);
  return [...unfilled].some((at) => at === key || at.startsWith(`${key}\0`));
}
