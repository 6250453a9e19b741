import type { Clock } from '../../../../base/clock.ts';
import { readCredential } from '../../../credential-file.ts';
import type { VaultClient } from '../../client/client.ts';
import { describeDenied, endOf, readJwt } from '../jwt-credential.ts';
import { logInAt } from '../log-in-at.ts';
import type { AuthMethod } from '../method.ts';

export interface KubernetesLogin {
  readonly mount: string;
  readonly role: string;
  /** The projected service account token; the kubelet replaces it, so each login reads the file again. */
  readonly tokenFile: string;
}

/** The server answers all of these causes alike: what the TokenReview API said is only in the server's own log. */
const DENIED =
  'Check mount, role, its bound service account and audience, that the service account and the pod of the token are ' +
  'still there, and that the server may review tokens: its own service account needs the ClusterRole ' +
  'system:auth-delegator.';

/**
 * Logs in with the pod's service account: POST auth/MOUNT/login {role, jwt}.
 * https://openbao.org/api-docs/auth/kubernetes/#login
 */
export function createKubernetesMethod(
  { mount, role, tokenFile }: KubernetesLogin,
  { client, clock, place }: { readonly client: VaultClient; readonly clock: Clock; readonly place: string },
): AuthMethod {
  return {
    kind: 'kubernetes',
    inline: async (signal) => ({
      mount,
      body: { role, jwt: await readCredential(tokenFile, `${place}.tokenFile`, signal) },
    }),
    async login(signal) {
      const jwt = await readCredential(tokenFile, `${place}.tokenFile`, signal);
      const claims = readJwt(jwt);
      const denied = describeDenied(claims, { file: tokenFile, hint: DENIED, nowWallMs: clock.wallMs() });
      const ends = endOf(claims, clock);
      return { ...(await logInAt({ client, clock, place, mount, body: { role, jwt }, denied }, signal)), ...ends };
    },
  };
}
