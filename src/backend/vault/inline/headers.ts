import { isHeaderToken } from '../../../base/header-text.ts';
import { Secret } from '../../../base/secret.ts';
import { trimSlashes } from '../../../config/api-path.ts';
import type { InlineLogin } from '../auth/method.ts';

/** A larger request is refused by many a proxy, whose limit for all headers is 8 KiB. */
const MAX_BYTES = 6 * 1024;

/**
 * The headers that have a request log in by itself. Undefined when headers cannot carry the login. A parameter is the
 * URL-safe base64, without padding, of `{"key":…,"value":…}`.
 * https://openbao.org/docs/concepts/auth/#inline-authentication
 */
export function inlineHeaders(
  { mount, username, body }: InlineLogin,
  namespace: string | undefined,
): Readonly<Record<string, Secret>> | undefined {
  const path = `auth/${trimSlashes(mount)}/login${username === undefined ? '' : `/${username}`}`;
  const plain: Record<string, string> = {
    'X-Vault-Inline-Auth-Path': path,
    'X-Vault-Inline-Auth-Operation': 'update',
    ...(namespace === undefined ? {} : { 'X-Vault-Inline-Auth-Namespace': namespace }),
  };
  for (const [key, given] of Object.entries(body)) {
    const value = typeof given === 'string' ? given : given.exposeText('backend');
    plain[`X-Vault-Inline-Auth-Parameter-${key}`] = Buffer.from(JSON.stringify({ key, value })).toString('base64url');
  }
  const entries = Object.entries(plain);
  const bytes = entries.reduce((sum, [name, text]) => sum + name.length + text.length + 4, 0);
  if (bytes > MAX_BYTES || !entries.every(([, text]) => isHeaderToken(text))) return undefined;
  return Object.fromEntries(entries.map(([name, text]) => [name, Secret.text(text)]));
}
