/** What a request to the server may have changed. It holds names of paths alone, and no value. */
export interface Change {
  /** The namespace of the request with a slash at its end, such as `team-a/`; empty for the root. */
  readonly namespace: string;
  /** Within the namespace: `secret/data/shop/app`. */
  readonly path: string;
  /**
   * How far it reaches: `path` is what was written; `below` is everything in a mount; `namespace` is all that a policy
   * or another change of the server's own settings can touch.
   */
  readonly reach: 'path' | 'below' | 'namespace';
}

/** What a line of an audit log is: a change, an entry that changes nothing, or no entry at all. */
export type Line = Change | 'no-change' | 'no-entry';

/** The words that an entry about a change holds. Most entries are of reads, so they are told apart without parsing. */
const MAY_CHANGE = /"operation":\s*"(?:create|update|patch|delete|revoke|rollback)"/;

/** Refused before anything was done. After another error, such as a time-out, a write may have come about. */
const REFUSED = /permission denied|invalid request|unsupported (?:operation|path)/;

/** Requests to `sys/` after which secrets may be others, or be readable by others. */
const SETTINGS = /^(?:remount$|polic(?:y|ies\/acl)\/|storage\/raft\/snapshot|raw\/|plugins\/reload|namespaces\/)/;

interface Entry {
  readonly type?: unknown;
  readonly error?: unknown;
  readonly request?: {
    readonly operation?: unknown;
    readonly path?: unknown;
    readonly namespace?: { readonly path?: unknown } | null;
  } | null;
}

/**
 * Reads one line of a file audit log (https://openbao.org/docs/audit/). Only entries of type `response` count: they are
 * written when the change is stored, and before the client has its answer. The option `prefix` puts text before each
 * entry.
 */
export function readLine(line: string): Line {
  const start = line.startsWith('{') ? 0 : line.indexOf('{"time":');
  if (start < 0) return 'no-entry';
  // The test entry of a device that begins: the server was started, and its last words may not have been written.
  const isTest = line.includes('"sys/audit/test"');
  if (!isTest && !MAY_CHANGE.test(line)) return line.endsWith('}') ? 'no-change' : 'no-entry';
  let entry: Entry | null;
  try {
    entry = JSON.parse(start === 0 ? line : line.slice(start)) as Entry | null;
  } catch {
    return 'no-entry';
  }
  const { operation, path, namespace } = entry?.request ?? {};
  if (typeof path !== 'string' || path === '') return 'no-entry';
  if (path === 'sys/audit/test') return { namespace: '', path: '', reach: 'namespace' };
  if (entry?.type !== 'response' || typeof operation !== 'string') return 'no-change';
  if (operation === 'read' || operation === 'list' || operation === 'help') return 'no-change';
  if (typeof entry.error === 'string' && REFUSED.test(entry.error)) return 'no-change';
  const within = typeof namespace?.path === 'string' ? namespace.path : '';
  return changeOf(within, path.replace(/^\/+/, ''));
}

function changeOf(namespace: string, path: string): Change | 'no-change' {
  if (path.startsWith('auth/')) return 'no-change';
  if (!path.startsWith('sys/')) return { namespace, path, reach: 'path' };
  const setting = path.slice('sys/'.length);
  const [, mount] = /^mounts\/(.+?)(?:\/tune)?$/.exec(setting) ?? [];
  if (mount !== undefined) return { namespace, path: mount, reach: 'below' };
  return SETTINGS.test(setting) ? { namespace, path: '', reach: 'namespace' } : 'no-change';
}
