import type * as z from 'zod/mini';

/** The schemas of one kind of backend. */
export interface KindSchemas {
  /** The keys of a backend of this kind: a strict object whose `kind` is the literal of `BackendKindConfig.kind`. */
  readonly backend: z.core.$ZodTypeDiscriminable & z.ZodMiniObject;
  /** Each optional. */
  readonly requestKeys: Readonly<Record<string, z.core.$ZodType>>;
  /** Each optional. A key that several kinds have must be the same schema object in all of them. */
  readonly companionKeys: Readonly<Record<string, z.core.$ZodType>>;
}

/** A kind with its schemas. */
export interface LoadedKind extends KindSchemas {
  readonly kind: string;
}
