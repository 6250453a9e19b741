import { printable } from '../../base/printable.ts';
import { createStderrWriter } from '../standard-error.ts';

/** Moves to the start of the line and clears the line. */
const CLEAR = '\r\x1b[2K';

/**
 * Standard error as a terminal whose last line can be a status, which is replaced in place. Whatever else is written
 * goes above it, so that no status stays behind.
 */
export class StatusLine {
  readonly #write: (text: string) => void;
  readonly #columns: () => number;
  #shown = '';

  /** @param columns the width of the terminal now. A longer status is cut, since a wrapped one could not be cleared. */
  constructor(write: (text: string) => void, columns: () => number) {
    this.#write = write;
    this.#columns = columns;
  }

  /** Writes whole lines. */
  write(text: string): void {
    const status = this.#shown;
    this.#write(status === '' ? text : `${CLEAR}${text}${status}`);
  }

  /** Shows a status, or none when it is empty. */
  show(status: string): void {
    const next = printable(status).slice(0, Math.max(1, this.#columns() - 1));
    if (next === this.#shown) return;
    this.#shown = next;
    this.#write(`${CLEAR}${next}`);
  }
}

/** The terminal that standard error is; the log and the progress share it. */
export const stderrLine = new StatusLine(createStderrWriter(), () => process.stderr.columns ?? 80);
