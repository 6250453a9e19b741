import * as z from 'zod/mini';
import { backend } from '../backend/vault/config/schema.ts';
import { notYet, otherName, secretName } from './scalars.ts';
import { exec } from './sections/exec/schema.ts';
import { admin } from './sections/listeners/admin-schema.ts';
import { api, type apiListener } from './sections/listeners/api-schema.ts';
import { proxy } from './sections/listeners/proxy-schema.ts';
import { log } from './sections/log/schema.ts';
import { output } from './sections/outputs/schema.ts';
import { secret } from './sections/secrets/schema.ts';

/** What one configuration file may say. `resolve.ts` makes the runtime `Config` of one or several. */
export const configFile = z.strictObject({
  version: z.optional(z.literal(1, { error: '1 is the only version' })),
  backends: z.optional(z.record(otherName, backend)),
  secrets: z.optional(z.record(secretName, secret)),
  outputs: z.optional(z.record(otherName, output)),
  exec: z.optional(exec),
  api: z.optional(api),
  proxy: z.optional(proxy),
  admin: z.optional(admin),
  sds: notYet(),
  state: notYet(),
  log: z.optional(log),
});

/** Sections whose entries have names and may be spread over several files. */
export const NAMED_SECTIONS = ['backends', 'secrets', 'outputs'] as const;
export type NamedSection = (typeof NAMED_SECTIONS)[number];

/** Sections that stand in one file, whole. */
export const SINGLE_SECTIONS = ['admin', 'api', 'exec', 'log', 'proxy'] as const;
export type SingleSection = (typeof SINGLE_SECTIONS)[number];

export type ApiListenerShape = z.infer<typeof apiListener>;
export type BackendShape = z.infer<typeof backend>;
export type VaultShape = Extract<BackendShape, { kind: 'vault' }>;
export type AwsShape = Extract<BackendShape, { kind: 'aws-secrets-manager' }>;
export type AuthShape = VaultShape['auth'];
export type SecretShape = z.infer<typeof secret>;
export type OutputShape = z.infer<typeof output>;
export type OutputFileShape = OutputShape['files'][string];
export type ReloadShape = NonNullable<OutputShape['reload']>[number];
export type ProxyShape = z.infer<typeof proxy>;
