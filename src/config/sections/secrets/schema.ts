import * as z from 'zod/mini';
import { roleArn } from '../../../backend/aws/config/schema.ts';
import { apiPath, bool, count, positiveDuration, text } from '../../scalars.ts';

const list = z.array(text, { error: 'a list of texts is wanted' });

const write = z.strictObject({
  path: apiPath,
  data: z.optional(z.record(z.string(), z.unknown(), { error: 'a map is wanted' })),
});

const certificate = z.strictObject({
  issuer: apiPath,
  role: text,
  commonName: text,
  altNames: z.optional(list),
  ipSans: z.optional(list),
  uriSans: z.optional(list),
  ttl: z.optional(positiveDuration),
});

/** Times (`unix-…`), and durations from the request on. */
const END_UNITS = ['unix-seconds', 'unix-milliseconds', 'seconds', 'milliseconds'] as const;

/** A field of the answer, alone or with its unit. */
const end = z.union([text, z.strictObject({ field: text, unit: z.optional(z.enum(END_UNITS)) })], {
  error: `the name of a field is wanted, or { field, unit } with one of the units ${END_UNITS.join(', ')}`,
});

/** One named thing to fetch. That exactly one way is given is checked in `resolve-secret.ts`, with better words. */
export const secret = z.strictObject({
  backend: z.optional(text),
  // ---- the ways to get it
  kv: z.optional(apiPath),
  read: z.optional(apiPath),
  write: z.optional(write),
  certificate: z.optional(certificate),
  key: z.optional(text),
  secretId: z.optional(text),
  parameter: z.optional(text),
  prefix: z.optional(z.string({ error: 'text is wanted' })),
  // ---- with kv
  version: z.optional(count),
  mount: z.optional(apiPath),
  kvVersion: z.optional(z.literal([1, 2], { error: '1 or 2 is wanted' })),
  // ---- with read and write
  end: z.optional(end),
  // ---- with secretId
  stage: z.optional(text),
  versionId: z.optional(text),
  previous: z.optional(bool),
  pending: z.optional(bool),
  // ---- with prefix
  tags: z.optional(z.record(text, z.string({ error: 'text is wanted' }), { error: 'a map is wanted' })),
  // ---- with secretId, parameter and prefix
  roleArn: z.optional(roleArn),
  externalId: z.optional(text),
  // ---- with any
  refresh: z.optional(positiveDuration),
  optional: z.optional(bool),
  maxStale: z.optional(positiveDuration),
});
