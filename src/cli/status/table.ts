/**
 * Columns as wide as their widest cell, two spaces apart; nothing without rows, and no column that is empty in each of
 * them. What a terminal would take for a command is shown as a question mark.
 */
export function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '';
  const kept = heads.flatMap((_, at) => (rows.some((row) => (row[at] ?? '') !== '') ? [at] : []));
  const lines = [heads, ...rows].map((row) => kept.map((at) => printable(row[at] ?? '')));
  const widths = kept.map((_, at) => Math.max(...lines.map((line) => line[at]?.length ?? 0)));
  return lines
    .map(
      (line) =>
        `${line
          .map((cell, at) => cell.padEnd(widths[at] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

/** Control characters of C0 and C1, and those that turn the direction of writing around. */
const printable = (text: string): string => text.replace(/[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '?');
