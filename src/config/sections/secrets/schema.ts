import * as z from 'zod/mini';
import { bool, duration, path, positiveDuration, text } from '../../scalars.ts';
import type { LoadedKind } from '../backends/kind-schemas.ts';

/** Keys that every secret may have, whatever backend it asks. */
const common = {
  backend: z.optional(text),
  refresh: z.optional(positiveDuration),
  optional: z.optional(bool),
  maxStale: z.optional(positiveDuration),
  certificateFrom: z.optional(
    z.strictObject({
      certificate: z.optional(text),
      privateKey: z.optional(text),
      bundle: z.optional(text),
      chain: z.optional(text),
      ca: z.optional(path),
      clockSkew: z.optional(duration),
    }),
  ),
};

export type CommonSecretShape = z.infer<z.ZodMiniObject<typeof common>>;

/**
 * One named thing to fetch, with the keys of all kinds of backends. `resolve.ts` checks that exactly one request key is
 * given and that the others go with it, since its messages are better than those of a schema.
 * @throws TypeError when two kinds claim one key.
 */
export function secretSchema(kinds: readonly LoadedKind[]) {
  const keys = new Map<string, z.core.$ZodType>(Object.entries(common));
  for (const { kind, requestKeys, companionKeys } of kinds) {
    for (const [key, schema] of Object.entries(requestKeys)) claim(kind, key, schema, false);
    for (const [key, schema] of Object.entries(companionKeys)) claim(kind, key, schema, true);
  }
  return z.strictObject(Object.fromEntries(keys));

  function claim(kind: string, key: string, schema: z.core.$ZodType, isShareable: boolean): void {
    const taken = keys.get(key);
    if (taken !== undefined && !(isShareable && taken === schema)) {
      throw new TypeError(`the kind of backend ${kind} claims the key ${key}, which another kind has`);
    }
    keys.set(key, schema);
  }
}
