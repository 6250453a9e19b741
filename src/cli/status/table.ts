import { printable } from '../../base/printable.ts';

/**
 * A table whose columns are as wide as their widest cell, with two spaces between them. Columns without text in any row
 * are left out; without rows the table is empty. Characters that could control a terminal are shown as question marks.
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
