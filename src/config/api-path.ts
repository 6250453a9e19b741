/** A mount, a path or a namespace without the slashes at its beginning and end, which mean nothing to the API. */
export function trimSlashes(text: string): string {
  return text.replace(/^\/+|\/+$/g, '');
}

/**
 * Whether a text is a path of the API: not empty, without NUL, and each part is a name. A server cleans `..`, `.` and
 * empty parts away, so that the request would reach another path than the one that was written.
 */
export function isApiPath(text: string): boolean {
  const parts = trimSlashes(text).split('/');
  return parts.every((part) => part !== '' && part !== '.' && part !== '..') && !text.includes('\0');
}
