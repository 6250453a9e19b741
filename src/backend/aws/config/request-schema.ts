import * as z from 'zod/mini';
import { bool, text } from '../../../config/scalars.ts';
import { roleArn } from './schema.ts';

/** The keys of a secret in the configuration that make it a request to AWS. */
export const requestKeys = {
  secretId: z.optional(text),
  parameter: z.optional(text),
  prefix: z.optional(z.string({ error: 'text is expected' })),
};

/** The keys that say more about the request. */
export const companionKeys = {
  stage: z.optional(text),
  versionId: z.optional(text),
  previous: z.optional(bool),
  pending: z.optional(bool),
  tags: z.optional(z.record(text, z.string({ error: 'text is expected' }), { error: 'a map is expected' })),
  roleArn: z.optional(roleArn),
  externalId: z.optional(text),
};

/** A secret of AWS in the configuration, parsed and not yet resolved. */
export interface AwsSecretShape {
  readonly secretId?: string;
  readonly parameter?: string;
  readonly prefix?: string;
  readonly stage?: string;
  readonly versionId?: string;
  readonly previous?: boolean;
  readonly pending?: boolean;
  readonly tags?: Readonly<Record<string, string>>;
  readonly roleArn?: string;
  readonly externalId?: string;
}
