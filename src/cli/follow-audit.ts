import { isSamePlainData } from '../base/plain-data-equal.ts';
import type { AuditTarget, LogConfig } from '../config/config.ts';
import { type OpenAuditDeps, openAudit } from '../log/audit/open.ts';
import type { AuditStream } from '../log/audit/stream.ts';
import { jsonForm, type LoggerOptions } from '../log/logger.ts';

/** The audit, apart from the log. */
export interface OpenedAudit {
  readonly where: AuditTarget;
  readonly stream: AuditStream;
}

/**
 * Has the audit go where the configuration says: what is there is opened anew, and what goes elsewhere now is closed
 * when it has what waits for it. Undefined: the log gets the lines.
 */
export async function followAudit(
  before: OpenedAudit | undefined,
  { audit, schema }: LogConfig,
  traced: LoggerOptions['traced'],
  deps: Omit<OpenAuditDeps, 'form'>,
): Promise<OpenedAudit | undefined> {
  const form = await jsonForm({ schema, traced });
  if (before !== undefined && isSamePlainData(before.where, audit)) {
    await before.stream.reopen(form);
    return before;
  }
  void before?.stream.close();
  return audit && { where: audit, stream: await openAudit(audit, { ...deps, form }) };
}
