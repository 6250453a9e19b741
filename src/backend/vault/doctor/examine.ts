import { type Failure, fail } from '../../../base/errors.ts';
import type { Examination } from '../../../base/examination.ts';
import type { Fact } from '../../../base/fact.ts';
import { formatRoughly } from '../../../base/rough-duration.ts';
import { checkReach } from '../../../http/check-reach.ts';
import type { Examined } from '../../examined.ts';
import type { AuthMethod, Login } from '../auth/method.ts';
import { revokeLogin } from '../auth/revoke-login.ts';
import { type VaultClient, VaultStatusError } from '../client/client.ts';
import type { VaultBackendConfig } from '../config/config.ts';
import { openVaultClient } from '../open.ts';
import { checkCredential } from './check-credential.ts';
import { checkEvents } from './check-events.ts';
import { checkSecrets } from './check-secrets.ts';
import { checkServer } from './check-server.ts';

/** A request fails with its own words before the time of its check is up. */
const REQUEST_MS = 4_500;

/** Examines a Vault or OpenBao server and the login there; see `Examiner`. */
export async function examine(backend: Examined<VaultBackendConfig>, examination: Examination): Promise<void> {
  const { config, context } = backend;
  const place = `backends.${config.name}`;
  const hasCredential = await checkCredential(examination, config.auth, place);
  const { address, tls } = config;
  const isReached = await checkReach(examination, { address, tls, env: context.env, place });
  const timeoutMs = Math.min(config.timeoutMs, REQUEST_MS);
  const opened = openVaultClient({ ...config, timeoutMs }, context);
  await using client = opened.client;
  if (!isReached) for (const check of ['clock', 'health']) examination.skip(check, `${place}.address`, 'no connection');
  const isWell = isReached && (await checkServer(examination, client, place));
  if (isWell) await checkEvents(examination, config, { client, context });
  else if (config.events !== undefined) examination.skip('events', `${place}.events`, 'the server is not ready for it');
  const why = whyNoLogin(config, { isReached, isWell, hasCredential });
  if (why !== undefined) {
    examination.skip('login', `${place}.auth`, ...why);
    skipSecrets(backend, examination);
    return;
  }
  if (opened.method === undefined) await behindProxy(backend, examination, client);
  else await withLogin(backend, examination, client, opened.method);
}

/** Why a login is not tried; undefined: it is. */
function whyNoLogin(
  { auth }: VaultBackendConfig,
  known: { readonly isReached: boolean; readonly isWell: boolean; readonly hasCredential: boolean },
): readonly [seen: string, hint?: string] | undefined {
  if (!known.isReached) return ['no connection'];
  if (!known.isWell) return ['the server is not ready for it'];
  if (!known.hasCredential) return ['its credential is not good'];
  if (auth.method !== 'approle' || !(auth.secretIdWrapped || auth.removeSecretIdFile)) return undefined;
  return ['a login would use up the secret id, and the agent could not log in any more'];
}

/** Requests have no token: asks who answers for them. GET auth/token/lookup-self is denied to requests without one. */
async function behindProxy(
  backend: Examined<VaultBackendConfig>,
  examination: Examination,
  client: VaultClient,
): Promise<void> {
  const place = `backends.${backend.config.name}.auth`;
  const isLent = await examination.run('login', place, async (signal) => {
    const call = { method: 'GET', path: 'auth/token/lookup-self', place, idempotent: true } as const;
    try {
      await client.call(call, signal);
    } catch (error) {
      if (!(error instanceof VaultStatusError) || ![400, 401, 403].includes(error.status)) throw error;
      const seen = `${backend.config.address} adds no token to requests without one: ${error.failure.seen}`;
      const hint = 'With auth: { method: none } address is that of a proxy with auto-auth; see docs/proxy.md.';
      throw fail('AUTH_DENIED', place, seen, { hint });
    }
    return 'no login here: the proxy at the address adds its token';
  });
  if (isLent) await checkSecrets(backend, { examination, client, login: undefined });
  else skipSecrets(backend, examination);
}

async function withLogin(
  backend: Examined<VaultBackendConfig>,
  examination: Examination,
  client: VaultClient,
  method: AuthMethod,
): Promise<void> {
  const { config } = backend;
  const place = `backends.${config.name}.auth`;
  let login: Login | undefined;
  await examination.run('login', place, async (signal) => {
    login = await method.login(signal);
    return describeLogin(config, login);
  });
  if (login === undefined) return skipSecrets(backend, examination);
  const made = login;
  try {
    // A look-up of the agent's own token would be one use less for the agent.
    if (method.borrowsToken === true && made.usesLeft !== 'unlimited') skipSecrets(backend, examination, USED_UP);
    else await checkSecrets(backend, { examination, client, login: made });
  } finally {
    if (method.borrowsToken !== true) await endLogin(examination, { method, client, login: made, place });
  }
}

const USED_UP = 'the token has a limited number of uses, and each check is one of them';

/** Also when the time is up: a login that is left behind lives until its end. */
async function endLogin(
  examination: Examination,
  { client, login, place }: { method: AuthMethod; client: VaultClient; login: Login; place: string },
): Promise<void> {
  let refused: Failure | undefined;
  const emit = (fact: Fact) => {
    if (fact.kind === 'login-revoked') refused = fact.failure;
  };
  const { signal } = new AbortController();
  await revokeLogin({ client, clock: examination.clock, emit, token: login.token, place }, signal);
  if (refused === undefined) return;
  const left = login.ttlMs === 'forever' ? 'never ends' : `ends in ${formatRoughly(login.ttlMs)}`;
  const hint = 'Allow auth/token/revoke-self (the default policy does), or revoke it by hand.';
  examination.warn('login', { ...refused, seen: `the login of this check ${left}: ${refused.seen}`, hint });
}

function describeLogin({ auth }: VaultBackendConfig, { ttlMs, renewable }: Login): string {
  const role = 'role' in auth && auth.role !== undefined ? ` with the role ${auth.role}` : '';
  const life = ttlMs === 'forever' ? 'never ends' : `good for ${formatRoughly(ttlMs)}`;
  // Only an operator can ask how many uses are left (secret_id_num_uses).
  const used = auth.method === 'approle' && auth.secretIdFile !== undefined ? '; one use of the secret id is gone' : '';
  return `logged in by ${auth.method}${role}; ${life}, ${renewable ? '' : 'not '}renewable${used}`;
}

function skipSecrets({ secrets }: Examined, examination: Examination, why = 'no login'): void {
  for (const { place } of secrets) examination.skip('secret', place, why);
}
