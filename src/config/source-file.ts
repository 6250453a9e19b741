import { formatPlace, type Path } from './place.ts';

/** A map of a configuration file, before anything about it is checked. */
export type Tree = Readonly<Record<string, unknown>>;

/** One parsed configuration file. */
export interface SourceFile {
  /** Absolute. */
  readonly path: string;
  /** What its relative paths are relative to. */
  readonly dir: string;
  /** Its short name in messages. */
  readonly label: string;
  /** References are filled. */
  readonly tree: Tree;
  /** Line of a section, or of a name in a section. */
  lineOf(section: string, name?: string): number | undefined;
  /** Places whose value came out of a reference, so it is neither literal nor ever shown. */
  readonly filled: ReadonlySet<string>;
  /** Places whose reference could not be filled; they are already reported. */
  readonly unfilled: ReadonlySet<string>;
}

/** What a parser gives: the tree, and where its sections and names stand. */
export interface Parsed {
  readonly tree: unknown;
  /** By `section`, or `section` NUL `name`. */
  readonly lines: ReadonlyMap<string, number>;
}

export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** True when a reference at this place, or below it, could not be filled. */
export function isUnfilled({ unfilled }: SourceFile, path: Path): boolean {
  if (unfilled.size === 0) return false;
  const place = formatPlace(path);
  return [...unfilled].some((at) => at === place || at.startsWith(`${place}.`) || at.startsWith(`${place}[`));
}
