import type * as z from 'zod/mini';
import type { Code } from '../../base/codes.ts';
import type { ConfigEntry } from '../load/entry.ts';
import type { SourceFile } from '../load/source-file.ts';
import type { ConfigPath } from '../place.ts';
import type { exec } from '../sections/exec/schema.ts';
import type { admin } from '../sections/listeners/admin-schema.ts';
import type { api, apiListener } from '../sections/listeners/api-schema.ts';
import type { proxy } from '../sections/listeners/proxy-schema.ts';
import type { log } from '../sections/log/schema.ts';
import type { check, verify } from '../sections/outputs/check-schema.ts';
import type { reload } from '../sections/outputs/reload-schema.ts';
import type { output, outputFile } from '../sections/outputs/schema.ts';
import type { CommonSecretShape } from '../sections/secrets/schema.ts';

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
  readonly log: z.infer<typeof log>;
}

export type SchemaName = keyof Shapes;

/** Takes the problems that are found; see `Problems`. */
export interface ProblemSink {
  add(code: Code, file: SourceFile, path: ConfigPath, seen: string, hint?: string): void;
}

/** Checks the parts of configuration files against their schemas. */
export interface EntryChecker {
  /**
   * The value, when it is as the schema of this name wants it. Undefined when something is wrong; it was added to
   * `problems`.
   * @param value what the entry holds, or the part of it that is to be checked.
   */
  check<N extends SchemaName>(
    name: N,
    value: unknown,
    entry: ConfigEntry,
    problems: ProblemSink,
  ): Shapes[N] | undefined;
}
