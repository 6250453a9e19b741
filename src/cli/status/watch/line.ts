import { printable } from '../../../base/printable.ts';

/** How a piece of text is shown; words or signs say the same. */
export type Look = 'good' | 'warn' | 'bad' | 'dim' | 'bold' | 'plain';

/** A piece of a line. Its text is made printable when it is painted. */
export type Piece = readonly [text: string, look: Look];

/** A line of the terminal as pieces, from left to right. */
export type Line = readonly Piece[];

/** Colours as of ECMA-48, section 8.3.117. */
const COLOURS: Readonly<Record<Look, string>> = {
  good: '\x1b[32m',
  warn: '\x1b[33m',
  bad: '\x1b[31m',
  dim: '\x1b[2m',
  bold: '\x1b[1m',
  plain: '',
};

const PLAIN = '\x1b[0m';

/** Clears what stands behind the cursor. After a text that fills the line it would clear the last character. */
const TO_END_OF_LINE = '\x1b[K';

/** A line as it goes to the terminal, cut at `columns`; what stood behind it is cleared. */
export function paint(line: Line, columns: number, hasColours: boolean): string {
  let left = columns;
  let painted = '';
  for (const [text, look] of line) {
    const shown = cut(printable(text), left);
    left -= [...shown].length;
    const colour = hasColours ? COLOURS[look] : '';
    painted += shown === '' || colour === '' ? shown : `${colour}${shown}${PLAIN}`;
  }
  return left > 0 ? painted + TO_END_OF_LINE : painted;
}

/** A text that is too long for its place, with an ellipsis. */
export function cut(text: string, columns: number, more = '…'): string {
  const characters = [...text];
  if (characters.length <= columns) return text;
  return columns <= more.length
    ? characters.slice(0, Math.max(0, columns)).join('')
    : `${characters.slice(0, columns - more.length).join('')}${more}`;
}

/** A text in a place of exactly so many columns. */
export const padded = (text: string, columns: number): string => {
  const shown = cut(text, columns);
  return shown + ' '.repeat(Math.max(0, columns - [...shown].length));
};
