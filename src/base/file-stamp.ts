import type { Stats } from 'node:fs';

/**
 * A text that differs when a file was written, replaced, or got other permissions or links: device, inode, size, and
 * both change times. A file that is missing or cannot be seen has the stamp `none`.
 */
export function fileStamp(stats: Stats | undefined): string {
  if (stats === undefined) return 'none';
  const { dev, ino, size, mtimeMs, ctimeMs } = stats;
  return `${dev}:${ino}:${size}:${mtimeMs}:${ctimeMs}`;
}
