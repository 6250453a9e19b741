/**
 * Text from elsewhere must not control a terminal: names, reasons and values may hold anything that a backend, a
 * configuration or a client chose. Control characters (C0, C1), line separators and characters that change the
 * direction of writing are what could; a terminal also takes U+009B for the start of a command.
 */
const CONTROLS = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** Text for one line: what could control a terminal becomes question marks, ends of lines and tabs too. */
export const printable = (text: string): string => text.replace(CONTROLS, '?');

/** Text of several lines: ends of lines and tabs stay. */
export const printableLines = (text: string): string =>
  text.replace(CONTROLS, (one, at: number) =>
    one === '\n' || one === '\t' || (one === '\r' && text[at + 1] === '\n') ? one : '?',
  );

/** A line of JSON with its end: what JSON leaves as it is and could control a terminal becomes its escape. */
export const printableJson = (line: string): string =>
  line.replace(CONTROLS, (one) =>
    one === '\n' ? one : `\\u${(one.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  );
