import type { Stats } from 'node:fs';

/** Identifies the state of a file: it changes when the file is written or replaced. */
export function fileStamp({ dev, ino, size, mtimeMs, ctimeMs }: Stats): string {
  return `${dev}:${ino}:${size}:${mtimeMs}:${ctimeMs}`;
}
