import * as z from 'zod/mini';
import { RULES, wrongEndpoint } from '../../../config/rules.ts';
import { path, positiveDuration, text } from '../../../config/scalars.ts';
import { requests } from '../../../config/sections/backends/requests-schema.ts';

const region = text.check(
  z.regex(/^[a-z]{2,}(?:-[a-z0-9]+)*-\d+$/, { error: 'a region is expected, such as eu-west-1', abort: true }),
);

/** `{region}` stands for the region that is asked. */
const endpoint = text.check(z.refine(RULES.isEndpoint, { error: ({ input }) => wrongEndpoint(input as string) }));

/** The ARN of an IAM role, in any partition of AWS. */
export const roleArn = text.check(
  z.regex(/^arn:aws[a-z-]*:iam::\d{12}:role\/\S+$/, {
    error: 'the ARN of a role is expected, such as arn:aws:iam::123456789012:role/shop',
  }),
);

/** A backend of kind `aws-secrets-manager`. */
export const awsSchema = z.strictObject({
  kind: z.literal('aws-secrets-manager'),
  region: z.optional(region),
  failoverRegions: z.optional(z.array(region, { error: 'a list of regions is expected' })),
  endpoint: z.optional(endpoint),
  endpoints: z.optional(
    z.strictObject({
      secretsManager: z.optional(endpoint),
      ssm: z.optional(endpoint),
      sts: z.optional(endpoint),
    }),
  ),
  profile: z.optional(text),
  roleArn: z.optional(roleArn),
  externalId: z.optional(text),
  roleSessionName: z.optional(
    text.check(z.regex(/^[\w+=,.@-]{2,64}$/, { error: '2 to 64 letters, digits and _+=,.@- are expected' })),
  ),
  timeout: z.optional(positiveDuration),
  requests: z.optional(requests),
  tls: z.optional(z.strictObject({ caFile: z.optional(path) })),
});

export type AwsShape = z.infer<typeof awsSchema>;
