import type { Document } from 'yaml';
import type { ConfigPath } from '../place.ts';
import type { LineAndColumn } from './syntax.ts';

/** What a text of YAML holds, or what is wrong with it. */
export interface YamlReading {
  /** Undefined when there is a syntax error. */
  readonly tree?: unknown;
  readonly errors: readonly (LineAndColumn & { readonly message: string })[];
  /** Keys that are in their map already. */
  readonly repeated: readonly (LineAndColumn & { readonly path: ConfigPath; readonly firstLine: number })[];
  /** How many values there are, those that aliases bring again included; up to a syntax error. */
  readonly count: number;
  /** Absent when it is nested too deep. */
  readonly document?: Document.Parsed;
}
