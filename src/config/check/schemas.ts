import * as z from 'zod/mini';
import { configHead } from '../schema.ts';
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
import { traces } from '../sections/traces/schema.ts';
import type { SchemaName } from './shapes.ts';

/** The schemas of zod that entries are checked against. */
export type Schemas = Readonly<Record<SchemaName, z.core.$ZodType>>;

/** All schemas, those of backends and secrets with the keys of these kinds. */
export async function loadSchemas(kinds: readonly BackendKindConfig[]): Promise<Schemas> {
  const loaded = await loadKinds(kinds);
  return {
    // Like every section of its own, it is checked by itself; see SdsSchemaName.
    head: z.extend(configHead, { sds: z.optional(z.unknown()) }),
    backend: backendSchema(loaded),
    secret: secretSchema(loaded),
    output,
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
    traces,
  };
}
