import * as z from 'zod/mini';
import { bool, laterOptions, notYet, path, text } from './scalars.ts';

const common = {
  mount: z.optional(text),
  revokeOnExit: z.optional(bool),
};

const kubernetes = z.strictObject({
  method: z.literal('kubernetes'),
  ...common,
  role: text,
  tokenFile: z.optional(path),
});

/** One of token and tokenFile, or the environment: `resolve-auth.ts` checks. */
const token = z.strictObject({
  method: z.literal('token'),
  ...common,
  token: z.optional(text),
  tokenFile: z.optional(path),
});

const approle = z.strictObject({
  method: z.literal('approle'),
  ...common,
  roleId: z.optional(text),
  roleIdFile: z.optional(path),
  secretIdFile: z.optional(path),
  secretIdWrapped: notYet(),
  removeSecretIdFile: notYet(),
});

/** How a vault backend logs in. */
export const auth = z.discriminatedUnion('method', [kubernetes, token, approle], {
  error: laterOptions('method', ['jwt', 'cert', 'userpass', 'ldap', 'aws']),
});
