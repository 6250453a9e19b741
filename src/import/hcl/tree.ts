import type { Position } from '../../render/template/position.ts';

/** What an HCL or JSON configuration says, with the place of each part. */
export type HclValue = HclString | HclNumber | HclBool | HclNull | HclList | HclObject;

export interface HclString {
  readonly kind: 'string';
  readonly value: string;
  /** What stands between the quotes, when it has escapes. */
  readonly written?: string;
  /** The first line of a heredoc, and how much was taken off each line. */
  readonly body?: { readonly line: number; readonly margin: number };
  readonly at: Position;
}

/** The text as it is written: `0644` is octal, which a number would no longer tell. */
export interface HclNumber {
  readonly kind: 'number';
  readonly text: string;
  readonly at: Position;
}

export interface HclBool {
  readonly kind: 'bool';
  readonly value: boolean;
  readonly at: Position;
}

/** JSON alone has it. */
export interface HclNull {
  readonly kind: 'null';
  readonly at: Position;
}

export interface HclList {
  readonly kind: 'list';
  readonly items: readonly HclValue[];
  readonly at: Position;
}

export interface HclObject {
  readonly kind: 'object';
  readonly items: readonly HclItem[];
  /** JSON has no labels: it writes them as the keys of an object. */
  readonly isJson?: true;
  readonly at: Position;
}

/** `key = value`, or a block: a key, labels and an object. A key may be there several times. */
export interface HclItem {
  readonly key: string;
  readonly labels: readonly string[];
  readonly value: HclValue;
  readonly at: Position;
}

/** A file that cannot be read as HCL or JSON. The message names what was found and what was expected, never a value. */
export class HclSyntaxError extends Error {
  readonly at: Position;

  constructor(seen: string, at: Position) {
    super(seen);
    this.name = 'HclSyntaxError';
    this.at = at;
  }
}

/** Objects and lists in each other: reading them recurses. */
export const MAX_DEPTH = 200;
