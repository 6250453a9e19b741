import { type Failure, fail, failure, PannierError } from '../../../base/errors.ts';
import type { Examination } from '../../../base/examination.ts';
import { isList, plainText, type Value } from '../../../base/value.ts';
import type { SecretConfig } from '../../../config/config.ts';
import { readAuthorities } from '../../certificate-authorities.ts';
import type { Examined } from '../../examined.ts';
import { isAbsent } from '../../fetch-each.ts';
import { agentLinesOf } from '../agent-lines.ts';
import type { Authorized } from '../auth/authorized.ts';
import type { Login } from '../auth/method.ts';
import { underLogin } from '../auth/single-login.ts';
import { type VaultClient, VaultStatusError } from '../client/client.ts';
import type { VaultBackendConfig } from '../config/config.ts';
import type { KvRequest, VaultRequest } from '../config/request.ts';
import { formatPolicyLine, mountedPathOf, type PolicyLine, policyLinesOf } from '../policy-lines.ts';
import { createVaultKv } from '../source/kv.ts';
import { firstSegment } from '../source/kv-path.ts';
import { type Mount, VaultMounts } from '../source/mounts.ts';

interface SecretsDeps {
  readonly examination: Examination;
  readonly client: VaultClient;
  readonly login: Login;
}

/** What a login may do at each path; `unknown` when it may not even ask. */
type Allowed = ReadonlyMap<string, readonly string[]> | 'unknown';

/**
 * Looks at every secret under a login: whether its mount exists, whether the policy allows its path
 * (sys/capabilities-self), and of KV secrets whether they are there. Other secrets are not fetched, since a fetch may
 * make a credential.
 */
export async function checkSecrets(
  { config, secrets }: Examined<VaultBackendConfig>,
  { examination, client, login }: SecretsDeps,
): Promise<void> {
  const vault = underLogin(client, login, examination.clock);
  const mounts = new VaultMounts(vault, examination.clock, examination.signal);
  const requests = secrets.map(({ request }) => request as VaultRequest);
  await checkOwnPaths(examination, vault, config, requests);
  const kv = createVaultKv({ vault, clock: examination.clock, emit: () => {}, nextVersion: () => '' }, mounts);
  for (const secret of secrets) {
    await examination.run('secret', secret.place, async (signal) => {
      try {
        return await checkSecret(secret, { vault, mounts, kv }, signal);
      } catch (error) {
        if (!secret.optional || !(error instanceof PannierError) || !isAbsent(error)) throw error;
        return `${error.failure.seen}; it is optional`;
      }
    });
  }
}

interface Askers {
  readonly vault: Authorized;
  readonly mounts: VaultMounts;
  readonly kv: ReturnType<typeof createVaultKv>;
}

async function checkSecret(
  { place, backend, refreshMs, optional, request }: SecretConfig,
  { vault, mounts, kv }: Askers,
  signal: AbortSignal,
): Promise<string | Failure> {
  const asked = request as VaultRequest;
  if (asked.kind === 'vault-certificate' && asked.caFile !== undefined) await readAuthorities(asked.caFile, place);
  const path = mountedPathOf(asked);
  const mount = await mounts.find(path, { place }, signal);
  const lines = linesOf(asked, mount);
  const allowed = await capabilitiesOf(
    vault,
    lines.map((line) => line.path),
    place,
    signal,
  );
  if (allowed !== 'unknown') {
    const [line] = lines.filter((one) => !isAllowed(one, allowed));
    // Which version the engine has is not known: one of the two paths is enough.
    if (line !== undefined && lines.every((one) => !isAllowed(one, allowed))) {
      throw denied(line, allowed, mount, place);
    }
    if (mount === 'refused' && mayBeAsked(asked)) throw noMount(path, place);
  }
  if (asked.kind === 'vault-kv') {
    const want = { id: place, backend, request, place, refreshMs, optional };
    const fetched = await kv({ want, request: asked as KvRequest, last: undefined }, signal);
    if (fetched.state !== 'changed') return `${path} can be read`;
    const { fields } = fetched.value;
    return `${path} can be read, with ${fields.size} field${fields.size === 1 ? '' : 's'}`;
  }
  const does = asked.kind === 'vault-read' ? 'read' : 'written';
  if (allowed !== 'unknown')
    return `the policy allows ${lines[0]?.path}; it was not ${does}, which may make a credential`;
  const hint = 'Allow sys/capabilities-self (the default policy does), or see whether pannier init gets the secret.';
  return failure('SECRET_DENIED', place, `whether ${path} may be ${does} cannot be asked`, { hint });
}

/** A server reports a mount to every token that may do something in it: what it does not report is not there. */
const mayBeAsked = ({ kind, kvVersion }: VaultRequest): boolean => kind !== 'vault-kv' || kvVersion === undefined;

function noMount(path: string, place: string): PannierError {
  const seen = `the policy allows ${path}, but nothing is mounted at ${firstSegment(path)}/`;
  const hint = 'Enable the engine there, or correct the path; see also the namespace of the backend.';
  return fail('SECRET_NOT_FOUND', place, seen, { hint });
}

/** Two lines, one for each version, when the server does not tell the version of a KV engine. */
function linesOf(request: VaultRequest, mount: Mount | 'refused'): readonly PolicyLine[] {
  if (mount !== 'refused') return policyLinesOf(request, mount);
  if (request.kind !== 'vault-kv' || request.kvVersion !== undefined) return policyLinesOf(request);
  const versions = [2, 1] as const;
  return versions.flatMap((kvVersion) => policyLinesOf({ ...request, kvVersion }));
}

function denied(
  line: PolicyLine,
  allowed: ReadonlyMap<string, readonly string[]>,
  mount: Mount | 'refused',
  place: string,
): PannierError {
  const has = allowed.get(line.path) ?? [];
  const what = has.length === 0 || has.includes('deny') ? 'nothing' : has.join(', ');
  const unseen = mount === 'refused' ? `, and shows no mount at ${firstSegment(line.path)}/` : '';
  const seen = `the policy allows ${what} at ${line.path}, not ${line.capabilities.join(', ')}${unseen}`;
  return fail('SECRET_DENIED', place, seen, { hint: `Add to the policy: ${formatPolicyLine(line)}` });
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
