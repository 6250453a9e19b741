import * as z from 'zod/mini';
import { HEADER_TOKEN } from '../../../base/header-text.ts';
import { RULES } from '../../../config/rules.ts';
import { bool, choice, path, text } from '../../../config/scalars.ts';

const common = {
  mount: z.optional(text),
  revokeOnExit: z.optional(bool),
};

/** Of logins that a server with inline auth makes for a single request. */
const inline = z.optional(choice(['auto', 'off']));

const kubernetes = z.strictObject({
  method: z.literal('kubernetes'),
  ...common,
  inline,
  role: text,
  tokenFile: z.optional(path),
});

const jwt = z.strictObject({
  method: z.literal('jwt'),
  ...common,
  inline,
  role: text,
  tokenFile: path,
});

/** The key pair is in `tls` of the backend; `resolve-auth.ts` checks that there is one. */
const cert = z.strictObject({
  method: z.literal('cert'),
  ...common,
  inline,
  role: z.optional(text),
});

const headerToken = text.check(
  z.regex(HEADER_TOKEN, { error: 'it is not made of printable characters without spaces' }),
);

/** The last part of the login's path. */
const username = text.check(
  z.refine(RULES.isUserName, {
    error: 'a user name does not begin or end with / and has no empty part, no . and no .. between two',
  }),
);

const userpass = z.strictObject({
  method: z.literal('userpass'),
  ...common,
  inline,
  username,
  passwordFile: path,
});

const ldap = z.strictObject({
  method: z.literal('ldap'),
  ...common,
  inline,
  username,
  passwordFile: path,
});

/** The token is in `token`, `tokenFile` or the environment; `resolve-auth.ts` checks that it is in one of them. */
const token = z.strictObject({
  method: z.literal('token'),
  ...common,
  token: z.optional(text),
  tokenFile: z.optional(path),
});

const approle = z.strictObject({
  method: z.literal('approle'),
  ...common,
  inline,
  roleId: z.optional(text),
  roleIdFile: z.optional(path),
  secretIdFile: z.optional(path),
  secretIdWrapped: z.optional(bool),
  removeSecretIdFile: z.optional(bool),
});

/** A login with an AWS identity; `resolve-auth.ts` resolves where its keys come from. */
const aws = z.strictObject({
  method: z.literal('aws'),
  ...common,
  role: z.optional(text),
  region: z.optional(text),
  serverId: z.optional(headerToken),
});

/** Another proxy on the way has a login and adds its token. */
const none = z.strictObject({ method: z.literal('none') });

/** How a vault backend logs in. */
export const auth = z.discriminatedUnion('method', [kubernetes, jwt, approle, token, cert, userpass, ldap, aws, none]);
