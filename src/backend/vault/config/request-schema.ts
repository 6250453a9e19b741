import * as z from 'zod/mini';
import { apiPath, count, duration, path, positiveDuration, text } from '../../../config/scalars.ts';
import { localKey, privateKeyFormat, renewAt, renewBefore } from '../../certificate-schemas.ts';

const list = z.array(text, { error: 'a list of texts is expected' });

const write = z.strictObject({
  path: apiPath,
  data: z.optional(z.record(z.string(), z.unknown(), { error: 'a map is expected' })),
});

const OTHER_SAN_EXPECTED = 'OID;UTF8:TEXT is expected, such as 1.3.6.1.4.1.311.20.2.3;UTF8:user@example.com';
const otherSan = text.check(z.regex(/^[0-2](?:\.\d{1,9})+;[Uu][Tt][Ff]-?8:[\s\S]+$/, { error: OTHER_SAN_EXPECTED }));

const TIME_EXPECTED = 'a time in RFC 3339 is expected, such as 2027-01-31T00:00:00Z';
const time = text.check(
  z.regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/, { error: TIME_EXPECTED }),
);

const revokeOld = z.optional(z.strictObject({ after: duration }));

const certificate = z.strictObject({
  issuer: apiPath,
  issuerRef: z.optional(text.check(z.regex(/^[\w.-]+$/, { error: 'the name or id of an issuer is expected' }))),
  role: text,
  commonName: text,
  altNames: z.optional(list),
  ipSans: z.optional(list),
  uriSans: z.optional(list),
  otherSans: z.optional(z.array(otherSan, { error: 'a list of texts is expected' })),
  ttl: z.optional(positiveDuration),
  notAfter: z.optional(time),
  key: localKey,
  privateKeyFormat,
  ca: z.optional(path),
  clockSkew: z.optional(duration),
  renewBefore,
  renewAt,
  revokeOld,
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
  revokeOld,
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
  readonly revokeOld?: z.infer<typeof revokeOld>;
}
