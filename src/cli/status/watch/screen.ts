import { type Line, paint } from './line.ts';

/** What of a terminal a screen uses: `process.stdout` is one. */
export interface Terminal {
  readonly columns: number;
  readonly rows: number;
  write(text: string): void;
}

/**
 * The alternate screen, without a cursor and without lines that wrap. The names are those of
 * https://invisible-island.net/xterm/ctlseqs/ctlseqs.html
 */
const ENTER = '\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[H\x1b[2J';
const LEAVE = '\x1b[?7h\x1b[?25h\x1b[?1049l';

/** Terminals that know synchronised updates show a frame only when it is whole; the others ignore this. */
const BEGIN = '\x1b[?2026h\x1b[H';
const END = '\x1b[?2026l';

/** Clears what is below, from a line of its own: behind a full line it would clear the line's last character. */
const BELOW = '\r\n\x1b[J';

/**
 * A whole terminal that is painted in place. What was there before comes back when the screen is left. A frame is one
 * write, and one that looks as the last one is not written: nothing flickers.
 */
export class Screen implements Disposable {
  readonly #terminal: Terminal;
  readonly #hasColours: boolean;
  #last = '';
  #isOpen = false;

  constructor(terminal: Terminal, hasColours: boolean) {
    this.#terminal = terminal;
    this.#hasColours = hasColours;
  }

  open(): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    this.#last = '';
    this.#terminal.write(ENTER);
  }

  /** Shows these lines, as many as there is room for. */
  show(lines: readonly Line[]): void {
    if (!this.#isOpen) return;
    const { columns, rows } = this.#terminal;
    const painted = lines.slice(0, rows).map((line) => paint(line, columns, this.#hasColours));
    const frame = `${BEGIN}${painted.join('\r\n')}${painted.length < rows ? BELOW : ''}${END}`;
    if (frame === this.#last) return;
    this.#last = frame;
    this.#terminal.write(frame);
  }

  /** Has the next frame painted whatever it is: the terminal has another size now. */
  forget(): void {
    this.#last = '';
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#terminal.write(LEAVE);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
