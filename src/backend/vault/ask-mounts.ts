import type { PolicyUse } from '../policy.ts';
import { revokeLogin } from './auth/revoke-login.ts';
import { underLogin } from './auth/single-login.ts';
import type { VaultBackendConfig } from './config/config.ts';
import { openVaultClient } from './open.ts';
import type { PolicyMount } from './policy-lines.ts';
import { VaultMounts } from './source/mounts.ts';

/** The mount that a path lies in; undefined when that is not known. */
export type FindMount = (path: string, place: string) => Promise<PolicyMount | undefined>;

type Ask = NonNullable<PolicyUse['ask']>;

/**
 * Calls `use` with a way to ask the server for mounts, under the configured login, which is revoked afterwards, or
 * under the token of a file. A server reports a mount to tokens that may do something in it.
 * @throws PannierError when the server cannot be reached, or refuses the login.
 */
export async function askMounts<T>(
  config: VaultBackendConfig,
  { context, tokenFile, signal }: Ask,
  use: (find: FindMount) => Promise<T>,
): Promise<T> {
  const { clock, emit } = context;
  const { mount, revokeOnExit } = config.auth;
  const auth = tokenFile === undefined ? config.auth : ({ method: 'token', mount, revokeOnExit, tokenFile } as const);
  const { client: opened, method } = openVaultClient({ ...config, auth }, context);
  await using client = opened;
  const login = await method?.login(signal);
  try {
    const mounts = new VaultMounts(underLogin(client, login, clock), clock, signal);
    return await use(async (path, place) => {
      const found = await mounts.find(path, { place }, signal);
      return found === 'refused' ? undefined : found;
    });
  } finally {
    if (login !== undefined && method?.borrowsToken !== true) {
      const self = { client, clock, emit, token: login.token, place: `backends.${config.name}.auth` };
      await revokeLogin(self, new AbortController().signal);
    }
  }
}
