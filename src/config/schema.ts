import * as z from 'zod/mini';
import { otherName, secretName } from './scalars.ts';
import type { LoadedKind } from './sections/backends/kind-schemas.ts';
import { backendSchema } from './sections/backends/schema.ts';
import { exec } from './sections/exec/schema.ts';
import { admin } from './sections/listeners/admin-schema.ts';
import { api, type apiListener } from './sections/listeners/api-schema.ts';
import { proxy } from './sections/listeners/proxy-schema.ts';
import { log } from './sections/log/schema.ts';
import { output } from './sections/outputs/schema.ts';
import { sds, type sdsSecret } from './sections/sds/schema.ts';
import { secretSchema } from './sections/secrets/schema.ts';
import { state } from './sections/state/schema.ts';
import { traces } from './sections/traces/schema.ts';

/**
 * The sections of a configuration file. The entries of backends and secrets are of any shape here: the loader checks
 * each one against the schema of its kind.
 */
export const configHead = z.strictObject({
  version: z.optional(z.literal(1, { error: '1 is the only version' })),
  backends: z.optional(z.record(otherName, z.unknown())),
  secrets: z.optional(z.record(secretName, z.unknown())),
  outputs: z.optional(z.record(otherName, output)),
  exec: z.optional(exec),
  api: z.optional(api),
  proxy: z.optional(proxy),
  admin: z.optional(admin),
  sds: z.optional(sds),
  state: z.optional(state),
  log: z.optional(log),
  traces: z.optional(traces),
});

/**
 * The schema of one configuration file, with these kinds of backends. `resolve.ts` makes the runtime `Config` of it.
 */
export function configFileSchema(kinds: readonly LoadedKind[]) {
  return z.extend(configHead, {
    backends: z.optional(z.record(otherName, backendSchema(kinds))),
    secrets: z.optional(z.record(secretName, secretSchema(kinds))),
  });
}

export type ApiListenerShape = z.infer<typeof apiListener>;
export type ExecShape = z.infer<typeof exec>;
export type OutputShape = z.infer<typeof output>;
export type OutputFileShape = OutputShape['files'][string];
export type ReloadShape = NonNullable<OutputShape['reload']>[number];
export type CheckShape = NonNullable<OutputShape['check']>;
export type VerifyShape = NonNullable<OutputShape['verify']>;
export type ProxyShape = z.infer<typeof proxy>;
export type SdsShape = z.infer<typeof sds>;
export type SdsSecretShape = z.infer<typeof sdsSecret>;
