import * as z from 'zod/mini';
import { bool, text } from '../../../config/scalars.ts';
import { roleArn } from './schema.ts';

/** The keys of a secret in the configuration that make it a request to AWS. */
export const requestKeys = {
  secretId: z.optional(text),
  parameter: z.optional(text),
  prefix: z.optional(z.string({ error: 'text is expected' })),
};

const ANY = ['secretId', 'parameter', 'prefix'];

/** Further keys, each with the request keys that it may stand beside. */
export const companionKeys = {
  stage: { schema: z.optional(text), goesWith: ['secretId'] },
  versionId: { schema: z.optional(text), goesWith: ['secretId'] },
  previous: { schema: z.optional(bool), goesWith: ['secretId'] },
  pending: { schema: z.optional(bool), goesWith: ['secretId'] },
  tags: {
    schema: z.optional(z.record(text, z.string({ error: 'text is expected' }), { error: 'a map is expected' })),
    goesWith: ['prefix'],
  },
  roleArn: { schema: z.optional(roleArn), goesWith: ANY },
  externalId: { schema: z.optional(text), goesWith: ANY },
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
