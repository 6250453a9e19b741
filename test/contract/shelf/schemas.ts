import * as z from 'zod/mini';
import { positiveDuration, text } from '../../../src/config/scalars.ts';
import type { KindSchemas } from '../../../src/config/sections/backends/kind-schemas.ts';

const backend = z.strictObject({
  kind: z.literal('shelf'),
  address: text,
  token: z.optional(text),
  timeout: z.optional(positiveDuration),
});

export type ShelfShape = z.infer<typeof backend>;

export const schemas: KindSchemas = { backend, requestKeys: { book: z.optional(text) }, companionKeys: {} };
