import * as z from 'zod/mini';
import { apiPath, count, duration, positiveDuration, text } from '../../../config/scalars.ts';

const list = z.array(text, { error: 'a list of texts is expected' });

const write = z.strictObject({
  path: apiPath,
  data: z.optional(z.record(z.string(), z.unknown(), { error: 'a map is expected' })),
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

const trustBundle = z.strictObject({ issuer: apiPath, overlap: z.optional(duration) });

/** Units of points in time (`unix-…`), and of durations that are counted from the request. */
const END_UNITS = ['unix-seconds', 'unix-milliseconds', 'seconds', 'milliseconds'] as const;

/** The name of a field of the answer, alone or with its unit. */
const end = z.union([text, z.strictObject({ field: text, unit: z.optional(z.enum(END_UNITS)) })], {
  error: `the name of a field is expected, or { field, unit } with one of the units ${END_UNITS.join(', ')}`,
});

/** The keys of a secret in the configuration that make it a request to a Vault backend. */
export const requestKeys = {
  kv: z.optional(apiPath),
  read: z.optional(apiPath),
  write: z.optional(write),
  certificate: z.optional(certificate),
  trustBundle: z.optional(trustBundle),
};

/** The keys that say more about the request. */
export const companionKeys = {
  version: z.optional(count),
  mount: z.optional(apiPath),
  kvVersion: z.optional(z.literal([1, 2], { error: '1 or 2 is expected' })),
  end: z.optional(end),
};

export type CertificateShape = z.infer<typeof certificate>;

/** A secret of a Vault backend in the configuration, parsed and not yet resolved. */
export interface VaultSecretShape {
  readonly kv?: string;
  readonly read?: string;
  readonly write?: z.infer<typeof write>;
  readonly certificate?: CertificateShape;
  readonly trustBundle?: z.infer<typeof trustBundle>;
  readonly version?: number;
  readonly mount?: string;
  readonly kvVersion?: 1 | 2;
  readonly end?: z.infer<typeof end>;
}
