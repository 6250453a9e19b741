import { resolve } from 'node:path';
import { parseAddress } from '../../address.ts';
import type { Shapes } from '../../check/shapes.ts';
import type { AuditTarget, LogConfig } from '../../config.ts';
import type { ConfigEntry } from '../../load/entry.ts';
import type { Problems } from '../../problems/problems.ts';

export type LogTargets = Pick<LogConfig, 'audit' | 'otlp'>;
export type ResolveLogTargets = typeof resolveLogTargets;

/** Where lines go beside or instead of the log: the audit, and OTLP. Undefined when something is wrong. */
export function resolveLogTargets(
  shape: Shapes['log'],
  entry: ConfigEntry,
  problems: Problems,
): LogTargets | undefined {
  const before = problems.count;
  const audit = auditOf(shape, entry, problems);
  const otlp = otlpOf(shape, entry, problems);
  return problems.count > before ? undefined : { ...(audit && { audit }), ...(otlp && { otlp }) };
}

function auditOf({ auditFile, auditTo }: Shapes['log'], { file, path }: ConfigEntry, problems: Problems) {
  const wrong = (seen: string, hint: string) => problems.add('CONFIG_INVALID', file, [...path, 'auditTo'], seen, hint);
  if (auditTo !== undefined && auditFile !== undefined) {
    wrong('auditFile is there as well', 'Keep one of the two: there is one audit.');
  }
  const other = auditTo === undefined ? undefined : targetOf(auditTo);
  if (auditTo !== undefined && other === undefined) {
    wrong('stdout or unix:///PATH is expected', 'A file has the key log.auditFile.');
  }
  return auditFile === undefined ? other : ({ kind: 'file', path: resolve(file.dir, auditFile) } as const);
}

function targetOf(text: string): AuditTarget | undefined {
  if (text === 'stdout') return { kind: 'stdout' };
  const isSocket = text.startsWith('unix://') && parseAddress(text).address !== undefined;
  return isSocket ? { kind: 'socket', path: text.slice('unix://'.length) } : undefined;
}

function otlpOf({ otlp }: Shapes['log'], { file, path }: ConfigEntry, problems: Problems): LogConfig['otlp'] {
  if (otlp === undefined || otlp === false) return undefined;
  const place = problems.placeIn(file, [...path, 'otlp']);
  if (otlp === true || otlp.endpoint === undefined) return { place };
  const { address, wrong = 'it is a socket; http://HOST:PORT is expected' } = parseAddress(otlp.endpoint);
  if (address?.startsWith('http') === true) return { place, endpoint: address };
  const hint = 'Give the address alone; credentials go into the variable OTEL_EXPORTER_OTLP_HEADERS.';
  problems.add('CONFIG_INVALID', file, [...path, 'otlp', 'endpoint'], wrong, hint);
  return undefined;
}
