import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

/** Largest file a configuration is read from. */
export const MAX_BYTES = 1024 * 1024;

/** Why a file gave no text, in our words. */
export interface Unread {
  readonly why: string;
}

/**
 * Text of a file or a pipe, strictly UTF-8, a byte order mark dropped. Reads no further than `MAX_BYTES`, so that
 * neither a device nor a wrong path fills the memory. Synchronous: start-up has nothing else to do meanwhile, but for a
 * pipe it waits until somebody writes; with `only` = `file` nothing but a regular file is read, and nothing waited for.
 */
export function readCapped(path: string, only: 'file' | 'any' = 'any'): string | Unread {
  try {
    const bytes = readBytes(path, only);
    if (bytes === undefined) return { why: 'larger than 1 MiB' };
    if (bytes === 'no-file') return { why: 'it is no regular file' };
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    return { why: describeSystemError(error) };
  }
}

/** The error of a system call in words; `not UTF-8 text` is what is left when reading worked. */
export function describeSystemError(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  if (code === 'ENOENT') return 'no such file';
  if (code === 'EACCES') return 'no permission to read it';
  if (code === 'EISDIR') return 'it is a directory';
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? `cannot be read (${code})` : 'not UTF-8 text';
}

function readBytes(path: string, only: 'file' | 'any'): Uint8Array | 'no-file' | undefined {
  const { O_RDONLY, O_NONBLOCK } = constants;
  const descriptor = openSync(path, only === 'file' ? O_RDONLY | O_NONBLOCK : O_RDONLY);
  try {
    if (only === 'file' && !fstatSync(descriptor).isFile()) return 'no-file';
    const parts: Uint8Array[] = [];
    let size = 0;
    for (;;) {
      const part = new Uint8Array(size === 0 ? 16 * 1024 : MAX_BYTES + 1);
      const read = readSync(descriptor, part);
      if (read === 0) return Buffer.concat(parts);
      parts.push(part.subarray(0, read));
      size += read;
      if (size > MAX_BYTES) return undefined;
    }
  } finally {
    closeSync(descriptor);
  }
}
