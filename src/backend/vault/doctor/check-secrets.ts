import { type Failure, fail, failure } from '../../../base/errors.ts';
import type { Examination } from '../../../base/examination.ts';
import { isList, plainText, type Value } from '../../../base/value.ts';
import type { SecretConfig } from '../../../config/config.ts';
import { readAuthorities } from '../../certificate-authorities.ts';
import type { Examined } from '../../examined.ts';
import { fetchOne } from '../../fetch-each.ts';
import { agentLinesOf } from '../agent-lines.ts';
import type { Authorized } from '../auth/authorized.ts';
import type { Login } from '../auth/method.ts';
import { underLogin } from '../auth/single-login.ts';
import { type VaultClient, VaultStatusError } from '../client/client.ts';
import type { VaultBackendConfig } from '../config/config.ts';
import type { VaultRequest } from '../config/request.ts';
import { createVaultFetch, type VaultFetch } from '../fetch.ts';
import { formatPolicyLine, mountedPathOf, type PolicyLine, policyLinesOf } from '../policy-lines.ts';
import { type Mount, VaultMounts } from '../source/mounts.ts';

interface SecretsDeps {
  readonly examination: Examination;
  readonly client: VaultClient;
  /** Undefined: a proxy on the way adds its token. */
  readonly login: Login | undefined;
}

/** What a login may do at each path; `unknown` when it may not even ask. */
type Allowed = ReadonlyMap<string, readonly string[]> | 'unknown';

/**
 * Looks at every secret under a login. One whose fetch makes nothing new is fetched as the agent does it, with the same
 * failures; of the others the policy (sys/capabilities-self) and the mount are looked at.
 */
export async function checkSecrets(
  { config, secrets, context, took }: Examined<VaultBackendConfig>,
  { examination, client, login }: SecretsDeps,
): Promise<void> {
  const { clock, signal: stop } = examination;
  const vault = underLogin(client, login, clock);
  const mounts = new VaultMounts(vault, clock, stop);
  const requests = secrets.map(({ request }) => request as VaultRequest);
  await checkOwnPaths(examination, vault, config, requests);
  const deps = { vault, clock, random: context.random, emit: () => {}, stop, nextVersion: () => '' };
  const source = createVaultFetch(deps, mounts, config);
  for (const secret of secrets) {
    await examination.run('secret', secret.place, async (signal) => {
      const { place, request } = secret;
      const path = mountedPathOf(request as VaultRequest);
      const mount = await mounts.find(path, { place }, signal);
      if (!makesNothing(request as VaultRequest, mount))
        return await checkUnfetched(secret, { vault, source, mount }, signal);
      return `${path} ${await fetchOne(secret, { source, took, nowMs: clock.wallMs() }, signal)}`;
    });
  }
}

/** Whether a fetch makes nothing new. A read may make a credential, in any engine but KV. */
function makesNothing({ kind }: VaultRequest, mount: Mount | 'refused'): boolean {
  if (kind === 'vault-kv' || kind === 'vault-list' || kind === 'vault-trust-bundle') return true;
  return kind === 'vault-read' && mount !== 'refused' && (mount.type === 'kv' || mount.type === 'generic');
}

interface UnfetchedDeps {
  readonly vault: Authorized;
  readonly source: VaultFetch;
  readonly mount: Mount | 'refused';
}

async function checkUnfetched(
  { place, request }: SecretConfig,
  { vault, source, mount }: UnfetchedDeps,
  signal: AbortSignal,
): Promise<string | Failure> {
  const asked = request as VaultRequest;
  if (asked.kind === 'vault-certificate' && asked.caFile !== undefined) await readAuthorities(asked.caFile, place);
  const path = mountedPathOf(asked);
  const lines = policyLinesOf(asked, mount === 'refused' ? undefined : mount);
  const paths = lines.map((line) => line.path);
  const allowed = await capabilitiesOf(vault, paths, place, signal);
  const does = asked.kind === 'vault-read' ? 'read' : 'written';
  if (allowed === 'unknown') {
    const hint = 'Allow sys/capabilities-self (the default policy does), or see whether pannier init gets the secret.';
    return failure('SECRET_DENIED', place, `whether ${path} may be ${does} cannot be asked`, { hint });
  }
  const hintFor = async (status: number) => {
    const advisor = await source.advisor();
    const hint = await advisor.hintFor(
      { place, status, request: asked, isVersioned: false, saysNoMount: status === 404 },
      signal,
    );
    return hint === undefined ? {} : { hint };
  };
  const line = lines.find((one) => !isAllowed(one, allowed));
  if (line !== undefined) {
    const has = allowed.get(line.path) ?? [];
    const what = has.length === 0 || has.includes('deny') ? 'nothing' : has.join(', ');
    const seen = `the policy allows ${what} at ${line.path}, not ${line.capabilities.join(', ')}`;
    throw fail('SECRET_DENIED', place, seen, await hintFor(403));
  }
  // A server reports a mount to every token that may do something in it: what it does not report is not there.
  if (mount === 'refused') {
    const seen = `the policy allows ${path}, but nothing is mounted there`;
    throw fail('SECRET_NOT_FOUND', place, seen, await hintFor(404));
  }
  return `the policy allows ${paths.join(', ')}; it was not ${does}, which may make a credential`;
}

/** Warns of what the agent needs for its own login and leases. */
async function checkOwnPaths(
  examination: Examination,
  vault: Authorized,
  { name, auth }: VaultBackendConfig,
  requests: readonly VaultRequest[],
): Promise<void> {
  const place = `backends.${name}.auth`;
  await examination.run('policy', place, async (signal) => {
    const lines = agentLinesOf(auth, requests);
    if (lines.length === 0) return 'nothing is needed beyond the secrets';
    const paths = lines.map(({ path }) => path);
    const allowed = await capabilitiesOf(vault, paths, place, signal);
    if (allowed === 'unknown') {
      const hint = 'Allow sys/capabilities-self (the default policy does), so that doctor can look at paths.';
      return failure('SECRET_DENIED', place, 'the policy does not allow sys/capabilities-self', { hint });
    }
    const missing = lines.filter((line) => !isAllowed(line, allowed));
    if (missing.length === 0) return `the policy allows ${paths.join(', ')}`;
    const seen = `the policy lacks ${missing.map(({ path, why }) => `${path}, which ${why}`).join('; ')}`;
    const hint = `Add to the policy: ${missing.map(formatPolicyLine).join(' ')}`;
    return failure('SECRET_DENIED', place, seen, { hint });
  });
}

function isAllowed({ path, capabilities }: PolicyLine, allowed: ReadonlyMap<string, readonly string[]>): boolean {
  const has = allowed.get(path) ?? [];
  return has.includes('root') || (!has.includes('deny') && capabilities.every((one) => has.includes(one)));
}

/** POST sys/capabilities-self: https://openbao.org/api-docs/system/capabilities-self/ */
async function capabilitiesOf(
  vault: Authorized,
  paths: readonly string[],
  place: string,
  signal: AbortSignal,
): Promise<Allowed> {
  const call = { method: 'POST', path: 'sys/capabilities-self', body: { paths }, place, idempotent: true } as const;
  try {
    const { body } = await vault.call(call, signal);
    return new Map(paths.map((path) => [path, textsOf(body.get(path))]));
  } catch (error) {
    if (error instanceof VaultStatusError && [403, 404, 405].includes(error.status)) return 'unknown';
    throw error;
  }
}

const textsOf = (value: Value | undefined): readonly string[] =>
  isList(value) ? value.map((one) => plainText(one) ?? '') : [];
