/** Line and column in a template, both from 1. */
export interface At {
  readonly line: number;
  readonly column: number;
}
