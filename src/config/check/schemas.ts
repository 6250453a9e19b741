import * as z from 'zod/mini';
import { otherName } from '../scalars.ts';
import { configHead } from '../schema.ts';
import { SINGLE_SECTIONS } from '../section-names.ts';
import type { BackendKindConfig } from '../sections/backends/kind.ts';
import { backendSchema, loadKinds } from '../sections/backends/schema.ts';
import { exec } from '../sections/exec/schema.ts';
import { admin } from '../sections/listeners/admin-schema.ts';
import { api, apiListener } from '../sections/listeners/api-schema.ts';
import { proxy } from '../sections/listeners/proxy-schema.ts';
import { log } from '../sections/log/schema.ts';
import { check, verify } from '../sections/outputs/check-schema.ts';
import { reload } from '../sections/outputs/reload-schema.ts';
import { output, outputFile } from '../sections/outputs/schema.ts';
import { sds, sdsSecret } from '../sections/sds/schema.ts';
import { secretSchema } from '../sections/secrets/schema.ts';
import { state } from '../sections/state/schema.ts';
import type { SchemaName } from './shapes.ts';

/** The schemas of zod that entries are checked against. */
export type Schemas = Readonly<Record<SchemaName, z.core.$ZodType>>;

/** All schemas, those of backends and secrets with the keys of these kinds. */
export async function loadSchemas(kinds: readonly BackendKindConfig[]): Promise<Schemas> {
  const loaded = await loadKinds(kinds);
  const unknown = z.optional(z.unknown());
  const sections = Object.fromEntries(SINGLE_SECTIONS.map((name) => [name, unknown]));
  return {
    // What has a schema of its own is checked by itself, and is not there when the rest is checked.
    head: z.extend(configHead, { outputs: z.optional(z.record(otherName, z.unknown())), ...sections }),
    backend: backendSchema(loaded),
    secret: secretSchema(loaded),
    output: z.extend(output, {
      files: z.record(z.string(), z.unknown()),
      check: unknown,
      reload: z.optional(z.array(z.unknown())),
      verify: unknown,
    }),
    outputFile,
    reload,
    check,
    verify,
    exec,
    api,
    apiListener,
    proxy,
    admin,
    sds,
    sdsSecret,
    log,
    state,
  };
}
