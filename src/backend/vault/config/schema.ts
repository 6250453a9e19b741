import * as z from 'zod/mini';
import { parseAddress } from '../../../config/address.ts';
import { RULES } from '../../../config/rules.ts';
import { bool, path, positiveDuration, text } from '../../../config/scalars.ts';
import { requests } from '../../../config/sections/backends/requests-schema.ts';
import { auth } from './auth-schema.ts';

const tls = z.strictObject({
  caFile: z.optional(path),
  certFile: z.optional(path),
  keyFile: z.optional(path),
  bootstrap: z.optional(z.strictObject({ certFile: path, keyFile: path })),
  serverName: z.optional(text),
  skipVerify: z.optional(bool),
});

const events = z.strictObject({
  auditFile: z.optional(path),
  url: z.optional(
    z.union([text, z.array(text, { error: 'a URL or a list of URLs is expected' })], {
      error: 'a URL or a list of URLs is expected',
    }),
  ),
  tokenFile: z.optional(path),
  tls: z.optional(
    z.strictObject({
      caFile: z.optional(path),
      certFile: z.optional(path),
      keyFile: z.optional(path),
      serverName: z.optional(text),
    }),
  ),
  poll: z.optional(positiveDuration),
});

const address = text.check(
  z.refine(RULES.isAddress, {
    error: ({ input }) => parseAddress(input as string).wrong,
  }),
);

/** A backend of kind `vault`. */
export const vaultSchema = z.strictObject({
  kind: z.literal('vault'),
  address: z.optional(address),
  namespace: z.optional(z.string({ error: 'text is expected' })),
  tls: z.optional(tls),
  timeout: z.optional(positiveDuration),
  requests: z.optional(requests),
  auth,
  events: z.optional(events),
});

export type VaultShape = z.infer<typeof vaultSchema>;
export type EventsShape = z.infer<typeof events>;
export type AuthShape = VaultShape['auth'];
