/**
 * Text that cannot control a terminal: control characters (C0, C1), line separators and characters that reverse the
 * direction of writing become question marks.
 */
export const printable = (text: string): string =>
  text.replace(/[\p{Cc}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '?');
