import type { Stats } from 'node:fs';

/** Differs when a file was written or replaced. */
export function fileStamp({ dev, ino, size, mtimeMs, ctimeMs }: Stats): string {
  return `${dev}:${ino}:${size}:${mtimeMs}:${ctimeMs}`;
}
