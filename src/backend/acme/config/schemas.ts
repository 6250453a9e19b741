import * as z from 'zod/mini';
import { argv, bool, duration, hostPort, path, positiveDuration, text } from '../../../config/scalars.ts';
import type { KindSchemas } from '../../../config/sections/backends/kind-schemas.ts';

import { localKey, privateKeyFormat, renewAt, renewBefore } from '../../certificate-schemas.ts';

const backend = z.strictObject({
  kind: z.literal('acme'),
  directory: text,
  tls: z.optional(z.strictObject({ caFile: z.optional(path), serverName: z.optional(text) })),
  timeout: z.optional(positiveDuration),
  accountKey: z.optional(text),
  accountKeyFile: z.optional(path),
  contact: z.optional(z.array(text, { error: 'a list of e-mail addresses is expected' })),
  termsAgreed: z.optional(bool),
  eab: z.optional(z.strictObject({ keyId: text, hmacKey: z.optional(text), hmacKeyFile: z.optional(path) })),
  http01: z.optional(z.strictObject({ listen: hostPort })),
  dns01: z.optional(
    z.strictObject({
      command: z.strictObject({ argv, timeout: z.optional(positiveDuration) }),
      wait: z.optional(duration),
    }),
  ),
});

const names = z
  .array(text, { error: 'a list of names is expected' })
  .check(z.minLength(1, { error: 'at least one name is expected' }));

const acme = z.strictObject({
  names,
  key: localKey,
  privateKeyFormat,
  profile: z.optional(text),
  ca: z.optional(path),
  clockSkew: z.optional(duration),
  renewBefore,
  renewAt,
});

export type AcmeShape = z.infer<typeof backend>;
export type AcmeSecretShape = z.infer<typeof acme>;

/** Loaded by `kind.ts` when zod is needed. */
export const schemas: KindSchemas = { backend, requestKeys: { acme: z.optional(acme) }, companionKeys: {} };
