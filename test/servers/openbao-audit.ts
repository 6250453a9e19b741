/** The requests that OpenBao received, read from its file audit device. */
import { readFile } from 'node:fs/promises';

/** One request that reached OpenBao, answered or not. Values are hashed by OpenBao; accessors are not. */
export interface AuditedRequest {
  readonly id: string;
  readonly time: Date;
  /** `read`, `update`, `create`, `delete`, `list`, … */
  readonly operation: string;
  /** Without `/v1/`: `secret/data/shop/app`. */
  readonly path: string;
  readonly namespace: string;
  /** Accessor of the token that was sent; absent for logins. */
  readonly accessor: string | undefined;
  readonly policies: readonly string[];
  /** Client side of the connection, to tell connections apart; absent on a Unix socket. */
  readonly remotePort: number | undefined;
  /** Why OpenBao refused the request; absent when it succeeded or has no answer yet. */
  readonly error: string | undefined;
}

interface Entry {
  readonly type: 'request' | 'response';
  readonly time: string;
  readonly auth?: { readonly accessor?: string; readonly policies?: readonly string[] };
  readonly request: {
    readonly id: string;
    readonly operation: string;
    readonly path: string;
    readonly namespace?: { readonly path?: string };
    readonly remote_port?: number;
  };
  readonly error?: string;
}

/**
 * Resolves to the requests so far, oldest first, without OpenBao's own test of the device. An entry is on disk before
 * the answer leaves OpenBao, so every answered request is in the list. `sys/health` and its like are never audited.
 */
export async function readAudit(file: string): Promise<AuditedRequest[]> {
  const text = await readFile(file, 'utf8');
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  const entries = whole
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Entry);
  const errors = new Map(entries.map(({ request, error }) => [request.id, error]));
  return entries
    .filter(({ type, request }) => type === 'request' && request.path !== 'sys/audit/test')
    .map(({ time, auth, request }) => ({
      id: request.id,
      time: new Date(time),
      operation: request.operation,
      path: request.path,
      namespace: request.namespace?.path ?? '',
      accessor: auth?.accessor,
      policies: auth?.policies ?? [],
      remotePort: request.remote_port,
      error: errors.get(request.id),
    }));
}
