/** One event of a watch, as far as it matters here: https://kubernetes.io/docs/reference/using-api/api-concepts/ */
export type WatchEvent =
  | { readonly kind: 'object'; readonly version: string }
  | { readonly kind: 'deleted'; readonly version: string }
  /** Nothing has changed up to this version. */
  | { readonly kind: 'bookmark'; readonly version: string }
  /** The version that the watch began at is not known any more, or not yet. */
  | { readonly kind: 'gone' }
  /** The server ends the watch for another reason. */
  | { readonly kind: 'error'; readonly code: number };

const KINDS: Readonly<Record<string, 'object' | 'deleted' | 'bookmark'>> = {
  ADDED: 'object',
  MODIFIED: 'object',
  DELETED: 'deleted',
  BOOKMARK: 'bookmark',
};

/** The server no longer has the version, or (504) it is behind the client, as after a restored backup. */
export const GONE = 410;

/** Undefined for a line that is no event. */
export function readEvent(line: string): WatchEvent | undefined {
  let event: unknown;
  try {
    event = JSON.parse(line);
  } catch {
    return undefined; // the error would quote the line
  }
  const { type, object } = asObject(event);
  const { metadata, code, reason } = asObject(object);
  if (type === 'ERROR') {
    const number = typeof code === 'number' ? code : 0;
    return number === GONE || reason === 'Expired' ? { kind: 'gone' } : { kind: 'error', code: number };
  }
  const kind = typeof type === 'string' && Object.hasOwn(KINDS, type) ? KINDS[type] : undefined;
  const { resourceVersion: version } = asObject(metadata);
  if (kind === undefined || typeof version !== 'string' || version === '') return undefined;
  return { kind, version };
}

const asObject = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
