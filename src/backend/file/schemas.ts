import * as z from 'zod/mini';
import { path, text } from '../../config/scalars.ts';
import type { KindSchemas } from '../../config/sections/backends/kind-schemas.ts';

const backend = z.strictObject({
  kind: z.literal('file'),
  path,
});

export type FileShape = z.infer<typeof backend>;

/** Loaded by `kind.ts` when zod is needed. */
export const schemas: KindSchemas = { backend, requestKeys: { key: z.optional(text) }, companionKeys: {} };
