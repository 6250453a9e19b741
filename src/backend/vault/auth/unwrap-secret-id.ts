import { fail } from '../../../base/errors.ts';
import type { Secret } from '../../../base/secret.ts';
import { isSecret, lookUp, plainText } from '../../../base/value.ts';
import { trimSlashes } from '../../../config/api-path.ts';
import { type VaultClient, VaultStatusError } from '../client/client.ts';
import { asVaultLoginError, isRefusal } from './token-self.ts';

export interface WrappedSecretId {
  readonly client: VaultClient;
  /** Configuration path of the key that names the file. */
  readonly place: string;
  readonly file: string;
  /** The mount of the AppRole method, below `auth/`. */
  readonly mount: string;
}

/**
 * Makes a function that takes secret ids out of wrapping tokens. A wrapping token can be unwrapped once: that it is
 * used up already is how the theft of a secret id shows.
 *
 * The token is looked up first, which does not use it up. This detects a token that does not wrap a secret id of this
 * mount, as an attacker could deliver: only for such a secret id is `auth/MOUNT/role/ROLE/secret-id` the path that made
 * the token.
 * https://openbao.org/docs/concepts/response-wrapping/#response-wrapping-token-validation
 */
export function createUnwrap({ client, place, file, mount }: WrappedSecretId) {
  /** The last token whose unwrapping got no answer: the agent itself may have used it up. */
  let unanswered: Secret | undefined;

  const usedUp = (token: Secret) => {
    const isOwnUse = unanswered?.equals(token) === true;
    const hint = isOwnUse
      ? 'The answer to the unwrapping by this agent was lost, which uses the token up too: deliver a new one.'
      : 'Unless this agent used it before a restart, another party may have read the secret id: find out, and deliver a new one.';
    return fail('AUTH_WRAPPING_USED', place, `${file} holds a wrapping token that was used already or has ended`, {
      hint,
    });
  };

  const lookUpToken = async (token: Secret, signal: AbortSignal) => {
    const path = 'sys/wrapping/lookup';
    try {
      const answer = await client.call({ method: 'POST', path, body: { token }, place, idempotent: true }, signal);
      return plainText(lookUp(answer.body, 'data', 'creation_path')) ?? '';
    } catch (error) {
      throw isInvalid(error) ? usedUp(token) : asVaultLoginError(error, place);
    }
  };

  const unwrap = async (token: Secret, signal: AbortSignal) => {
    const path = 'sys/wrapping/unwrap';
    try {
      const answer = await client.call({ method: 'POST', path, body: {}, token, place, idempotent: false }, signal);
      return lookUp(answer.body, 'data', 'secret_id');
    } catch (error) {
      if (isInvalid(error)) throw usedUp(token);
      if (!isRefusal(error)) unanswered = token;
      throw asVaultLoginError(error, place);
    }
  };

  /**
   * Returns the secret id that `token` wraps.
   * @throws PannierError AUTH_WRAPPING_USED, AUTH_WRAPPING_PATH, AUTH_UNUSABLE, AUTH_DENIED, or what the client throws
   * when no answer comes.
   */
  return async (token: Secret, signal: AbortSignal): Promise<Secret> => {
    const madeBy = await lookUpToken(token, signal);
    if (!isSecretIdPath(madeBy, mount)) {
      const seen = `${file} holds a wrapping token that auth/${trimSlashes(mount)}/role/ROLE/secret-id did not make`;
      throw fail('AUTH_WRAPPING_PATH', place, seen);
    }
    const secretId = await unwrap(token, signal);
    if (isSecret(secretId) && secretId.type === 'string' && plainText(secretId) !== '') return secretId;
    throw fail('AUTH_UNUSABLE', place, `the wrapping token in ${file} wraps no secret id`, {
      hint: 'Deliver a new wrapping token.',
    });
  };
}

/** Both servers answer 400 to a token that was used, has ended, was revoked or never was a wrapping token. */
function isInvalid(error: unknown): boolean {
  return error instanceof VaultStatusError && error.status === 400;
}

function isSecretIdPath(path: string, mount: string): boolean {
  const before = `auth/${trimSlashes(mount)}/role/`;
  return path.startsWith(before) && /^[^/]+\/secret-id$/.test(path.slice(before.length));
}
