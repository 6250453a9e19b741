import type { Clock } from '../../../base/clock.ts';
import { fail, PannierError } from '../../../base/errors.ts';
import { trimSlashes } from '../../../config/api-path.ts';
import { ageMs } from '../client/age.ts';
import { type VaultClient, VaultStatusError } from '../client/client.ts';
import type { Login } from './method.ts';
import { asVaultLoginError, type Denied, readAuthBlock } from './token-self.ts';

/** What every login method needs. */
export interface LoginDeps {
  readonly client: VaultClient;
  readonly clock: Clock;
  /** Configuration path of the login, for errors. */
  readonly place: string;
}

export interface LoginCall extends LoginDeps {
  /** The mount of the method below `auth/`, with or without slashes around it. */
  readonly mount: string;
  readonly body: Readonly<Record<string, unknown>>;
  /** The last part of the path. It may hold a slash: the server decodes a path before it splits it. */
  readonly username?: string;
  /** The failure when the server refuses the login; absent: AUTH_DENIED with the answer of the server. */
  readonly denied?: Denied;
  /** See `VaultCall`. */
  readonly freshTls?: boolean;
}

/**
 * Logs in with POST auth/MOUNT/login or auth/MOUNT/login/USERNAME, as most methods do. The request makes a token, so it
 * is never repeated here. The life of the token counts from before the request.
 *
 * @throws PannierError AUTH_DENIED, AUTH_UNUSABLE, or what the client throws when no answer comes.
 */
export async function logInAt(login: LoginCall, signal: AbortSignal): Promise<Login> {
  const { client, clock, place, mount, body, username, denied, freshTls = false } = login;
  const startedMonoMs = clock.monoMs();
  const path = `auth/${trimSlashes(mount)}/login${username === undefined ? '' : `/${username}`}`;
  try {
    const call = { method: 'POST', path, body, place, idempotent: false, freshTls } as const;
    const answer = await client.call(call, signal);
    return readAuthBlock(answer.body, startedMonoMs - ageMs(answer), place);
  } catch (error) {
    const failed = asVaultLoginError(error, place, denied);
    throw isBareDenial(error) ? withMountHint(failed, trimSlashes(mount), denied) : failed;
  }
}

/** Whether the server says no more than "permission denied", as it does where no auth method is mounted. */
function isBareDenial(error: unknown): boolean {
  return error instanceof VaultStatusError && error.status === 403 && error.phrase === 'permission denied';
}

function withMountHint(failed: unknown, mount: string, denied: Denied | undefined): unknown {
  if (!(failed instanceof PannierError) || failed.failure.code !== 'AUTH_DENIED') return failed;
  const { code, place, seen } = failed.failure;
  const missing = `The server answers so ${denied === undefined ? '' : 'too '}when no auth method is mounted at auth/${mount}/`;
  const hint = denied === undefined ? `${missing}: check mount and namespace.` : `${denied.hint} ${missing}.`;
  return fail(code, place, seen, { hint });
}
