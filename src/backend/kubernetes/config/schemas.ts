import * as z from 'zod/mini';
import { parseAddress } from '../../../config/address.ts';
import { RULES } from '../../../config/rules.ts';
import { path, positiveDuration, text } from '../../../config/scalars.ts';
import type { KindSchemas } from '../../../config/sections/backends/kind-schemas.ts';
import { requests } from '../../../config/sections/backends/requests-schema.ts';

const NAME_EXPECTED = 'a name is expected, such as shop: small letters, digits and -';
const OBJECT_EXPECTED = 'NAME or NAMESPACE/NAME is expected, in small letters, digits, - and .';

const address = text.check(
  z.refine(RULES.isAddress, {
    error: ({ input }) => parseAddress(input as string).wrong,
  }),
);

const backend = z.strictObject({
  kind: z.literal('kubernetes'),
  kubeconfig: z.optional(path),
  context: z.optional(text),
  namespace: z.optional(text.check(z.regex(/^[a-z0-9-]{1,63}$/, { error: NAME_EXPECTED }))),
  address: z.optional(address),
  tokenFile: z.optional(path),
  tls: z.optional(z.strictObject({ caFile: z.optional(path), serverName: z.optional(text) })),
  timeout: z.optional(positiveDuration),
  requests: z.optional(requests),
});

/** No name that the API accepts is refused, and none passes that would need encoding. */
const object = text.check(
  z.regex(/^(?:[a-z0-9-]{1,63}\/)?[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/, {
    error: OBJECT_EXPECTED,
  }),
);

const keys = z
  .array(text, { error: 'a list of keys is expected' })
  .check(z.minLength(1, { error: 'at least one key is expected' }));

export type KubernetesShape = z.infer<typeof backend>;

export interface KubernetesSecretShape {
  readonly kubernetesSecret?: string | undefined;
  readonly configMap?: string | undefined;
  readonly keys?: readonly string[] | undefined;
}

/** Loaded by `kind.ts` when zod is needed. */
export const schemas: KindSchemas = {
  backend,
  requestKeys: { kubernetesSecret: z.optional(object), configMap: z.optional(object) },
  companionKeys: { keys: z.optional(keys) },
};
