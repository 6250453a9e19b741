import type * as z from 'zod/mini';
import { parseDuration } from '../../../base/duration.ts';
import type { ConfigEntry } from '../../load/entry.ts';
import type { Problems } from '../../problems/problems.ts';
import type { RequestsConfig } from './config.ts';
import type { requests } from './requests-schema.ts';

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
  return {
    requests: {
      ...(perSecond === undefined ? {} : { rate: { perSecond, burst: burst ?? 2 * perSecond } }),
      startSpreadMs: startSpread === undefined ? 0 : (parseDuration(startSpread) as number),
    },
  };
}
