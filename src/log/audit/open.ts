import { FileTarget } from './file-target.ts';
import { SocketTarget } from './socket-target.ts';
import { StdoutTarget } from './stdout-target.ts';
import { AuditStream, type AuditStreamDeps } from './stream.ts';
import type { LineTarget, TargetDeps } from './target.ts';

/** Where lines of the audit go. */
export type AuditWhere =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'socket'; readonly path: string }
  | { readonly kind: 'stdout' };

export interface OpenAuditDeps extends Omit<AuditStreamDeps, 'place' | 'target'> {
  /** A child writes to the standard output of the agent. */
  readonly isStdoutShared: boolean;
}

/** Begins to write the audit. A target that cannot be opened is a warning. */
export async function openAudit(where: AuditWhere, deps: OpenAuditDeps): Promise<AuditStream> {
  const place = where.kind === 'file' ? 'log.auditFile' : 'log.auditTo';
  const target = (of: TargetDeps): LineTarget => {
    if (where.kind === 'file') return new FileTarget(where.path, place, of);
    if (where.kind === 'socket') return new SocketTarget({ path: where.path }, `unix://${where.path}`, place, of);
    return new StdoutTarget(deps.isStdoutShared, place, of);
  };
  return await AuditStream.open({ ...deps, place, target });
}
