import type * as z from 'zod/mini';
import type { exec } from '../sections/exec/schema.ts';
import type { admin } from '../sections/listeners/admin-schema.ts';
import type { api, apiListener } from '../sections/listeners/api-schema.ts';
import type { proxy } from '../sections/listeners/proxy-schema.ts';
import type { log } from '../sections/log/schema.ts';
import type { check, verify } from '../sections/outputs/check-schema.ts';
import type { reload } from '../sections/outputs/reload-schema.ts';
import type { output, outputFile } from '../sections/outputs/schema.ts';
import type { sds, sdsSecret } from '../sections/sds/schema.ts';
import type { CommonSecretShape } from '../sections/secrets/schema.ts';
import type { state } from '../sections/state/schema.ts';
import type { traces } from '../sections/traces/schema.ts';

/** What the schemas accept, by the schema's name. */
export interface Shapes {
  /** A file without the entries of its sections. */
  readonly head: unknown;
  readonly backend: { readonly kind: string };
  readonly secret: CommonSecretShape & Readonly<Record<string, unknown>>;
  readonly output: z.infer<typeof output>;
  readonly outputFile: z.infer<typeof outputFile>;
  readonly reload: z.infer<typeof reload>;
  readonly check: z.infer<typeof check>;
  readonly verify: z.infer<typeof verify>;
  readonly exec: z.infer<typeof exec>;
  readonly api: z.infer<typeof api>;
  readonly apiListener: z.infer<typeof apiListener>;
  readonly proxy: z.infer<typeof proxy>;
  readonly admin: z.infer<typeof admin>;
  readonly sds: z.infer<typeof sds>;
  readonly sdsSecret: z.infer<typeof sdsSecret>;
  readonly log: z.infer<typeof log>;
  readonly state: z.infer<typeof state>;
  readonly traces: z.infer<typeof traces>;
}

export type SchemaName = keyof Shapes;
