import type { Position } from '../render/template/position.ts';

/** A text with its lines, so that an offset is told as a line and a column. */
export class SourceText {
  readonly text: string;
  /** Offsets at which lines begin; made when the first position is asked for. */
  #starts: readonly number[] | undefined;

  constructor(text: string) {
    this.text = text;
  }

  /** Line and column from 1 on; a column counts UTF-16 units, as editors do. */
  at(offset: number): Position {
    this.#starts ??= lineStarts(this.text);
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#starts[middle] as number) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (this.#starts[low] as number) + 1 };
  }
}

function lineStarts(text: string): readonly number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}

/** The largest file that is read. */
export const MAX_SOURCE_BYTES = 16 * 2 ** 20;

/** The text of a file, without a byte order mark; or why it is none. */
export function decodeSource(bytes: Uint8Array): { readonly text: string } | { readonly problem: string } {
  const [first, second, third] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) {
    return { problem: 'the file is UTF-16: save it as UTF-8' };
  }
  if (first === 0 || (second === 0 && bytes.length > 1)) {
    return { problem: 'the file is UTF-16 without a byte order mark, or no text: save it as UTF-8' };
  }
  const start = first === 0xef && second === 0xbb && third === 0xbf ? 3 : 0;
  try {
    return { text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes.subarray(start)) };
  } catch {
    return { problem: 'the file is not UTF-8: save it as UTF-8' };
  }
}
