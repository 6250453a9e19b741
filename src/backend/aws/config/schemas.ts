import type { KindSchemas } from '../../../config/sections/backends/kind-schemas.ts';
import { companionKeys, requestKeys } from './request-schema.ts';
import { awsSchema } from './schema.ts';

/** Loaded by `kind.ts` when zod is needed. */
export const schemas: KindSchemas = { backend: awsSchema, requestKeys, companionKeys };
