import type * as z from 'zod/mini';
import { parseDuration } from '../../../base/duration.ts';
import type { ConfigEntry } from '../../load/entry.ts';
import type { Problems } from '../../problems/problems.ts';
import type { RequestsConfig } from './config.ts';
import type { requests } from './requests-schema.ts';

const MAX_USUAL_SPREAD_MS = 3_600_000;

/** The key `requests` of a backend, as a part of its configuration; nothing when the key is absent. */
export function resolveRequests(
  shape: z.infer<typeof requests> | undefined,
  { file, path }: ConfigEntry,
  problems: Problems,
): { readonly requests?: RequestsConfig } {
  if (shape === undefined) return {};
  const { perSecond, burst, startSpread } = shape;
  if (burst !== undefined && perSecond === undefined) {
    problems.add('CONFIG_MISSING', file, [...path, 'requests', 'perSecond'], 'absent, but burst needs it');
  }
  const startSpreadMs = startSpread === undefined ? 0 : (parseDuration(startSpread) as number);
  if (startSpreadMs > MAX_USUAL_SPREAD_MS) {
    const seen = 'a start may wait longer than an hour until it asks for anything';
    problems.warn('CONFIG_DOUBTFUL', file, [...path, 'requests', 'startSpread'], seen);
  }
  return {
    requests: {
      ...(perSecond === undefined ? {} : { rate: { perSecond, burst: burst ?? 2 * perSecond } }),
      startSpreadMs,
    },
  };
}
