import { unescapeHcl } from '../hcl/unescape.ts';

/** The text between the quotes of a Go string; undefined for a wrong escape. HCL has the same escapes, and `${`. */
export function unescapeGo(written: string): string | undefined {
  // A `${` means nothing in Go, and would hide escapes behind it.
  const parts = written.split('${').map((part) => unescapeHcl(part));
  return parts.every((part) => typeof part === 'string') ? parts.join('${') : undefined;
}
