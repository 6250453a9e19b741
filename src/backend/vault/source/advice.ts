import type { Clock } from '../../../base/clock.ts';
import { deadline } from '../../../base/deadline.ts';
import { type Failure, failure, PannierError } from '../../../base/errors.ts';
import { makeNearest } from '../../../base/nearest.ts';
import { onAbort } from '../../../base/on-abort.ts';
import { SingleFlight } from '../../../base/single-flight.ts';
import { type Fields, isFields, lookUp, plainText } from '../../../base/value.ts';
import type { Authorized } from '../auth/authorized.ts';
import { isNoMount, type VaultStatusError } from '../client/client.ts';
import type { VaultRequest } from '../config/request.ts';
import { formatPolicyLine, mountedPathOf, type PolicyLine, type PolicyMount, policyLinesOf } from '../policy-lines.ts';
import { kvPathBehind } from './kv-path.ts';

/** What a refused request was about. */
export interface Refused {
  readonly error: VaultStatusError;
  /** Absent: a lease was to be renewed. */
  readonly request: VaultRequest | undefined;
  /** The server says that the mount is KV version 2, with other paths. */
  readonly isVersioned: boolean;
}

/** A request that was refused, or would be. */
export interface RefusedRequest extends Pick<Refused, 'isVersioned'> {
  readonly place: string;
  readonly status: number;
  readonly request: VaultRequest;
  /** A 404 is about the mount, not about what is in it. */
  readonly saysNoMount: boolean;
}

export interface AdvisorDeps {
  readonly vault: Authorized;
  readonly clock: Clock;
  /** The configured namespace; undefined: the root. */
  readonly namespace: string | undefined;
  /** Requests have no token, and another proxy on the way is meant to add one. */
  readonly isLent: boolean;
}

/** A mount that the login sees. */
interface SeenMount extends PolicyMount {
  readonly type: string;
}

/** How long the list of mounts is used: failed fetches are repeated each half minute, and one list serves them. */
const LIST_MS = 5 * 60_000;

/** The longest wait for the list, which delays the message about the refusal. */
const MAX_WAIT_MS = 2_000;

/** How many mounts a message names. */
const MAX_LISTED = 10;

/** Mounts of these types are in every server, and no secret is meant to be in them. */
const BUILT_IN: ReadonlySet<string> = new Set(['system', 'identity', 'cubbyhole']);

/**
 * Finds out for a refused request what to do: the policy lines that are missing, or that there is no such mount. To a
 * login without any right in a mount, the server answers in the same way as when there is no such mount, so then the
 * message says both, and which mounts the login does see: GET sys/internal/ui/mounts, once in five minutes, which every
 * token may ask. https://openbao.org/api-docs/system/internal-ui-mounts/
 */
export class Advisor {
  readonly #deps: AdvisorDeps;
  readonly #asking = new SingleFlight<'list', readonly SeenMount[] | undefined>();
  #seen: { readonly mounts: readonly SeenMount[]; readonly monoMs: number } | undefined;

  constructor(deps: AdvisorDeps) {
    this.#deps = deps;
  }

  /** The failure to report in the place of the refusal. Never throws, and does not wait once `signal` aborts. */
  async about({ error, request, isVersioned }: Refused, signal: AbortSignal): Promise<PannierError> {
    const { place } = error.failure;
    const hint =
      request === undefined
        ? this.#missing([[RENEW_LINE]])
        : await this.hintFor(
            { place, status: error.status, request, isVersioned, saysNoMount: isNoMount(error) },
            signal,
          );
    return hint === undefined ? error : withHint(error, hint);
  }

  /** What to do about a request that was, or would be, refused; undefined: there is no advice. Never throws. */
  async hintFor(
    { place, status, request, isVersioned, saysNoMount }: RefusedRequest,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const path = mountedPathOf(request);
    const mounts = await this.#mounts(place, signal);
    const mount = mounts?.find((one) => `${path}/`.startsWith(one.path));
    if (request.kind === 'vault-read' && (isVersioned || isPlainPathOfKv2(path, mount))) {
      return `Write kv: ${path}. ${mount?.path ?? 'The mount'} is KV version 2, which kv reads.`;
    }
    if (request.kind === 'vault-kv' && request.kvVersion !== undefined) {
      const version = isVersioned ? 2 : isOfKv(mount) ? mount.version : request.kvVersion;
      if (version !== request.kvVersion) return otherVersion(mount, version, request.kvVersion);
    }
    if (status === 404 && !saysNoMount) return undefined; // the secret is missing
    if (status === 404) return `There is no mount for this path. ${mountsIn(path, mounts)}`;
    if (mount !== undefined || mounts === undefined) return this.#missing(linesOf(request, mount));
    const unseen =
      'The login sees no mount for this path: there is none, or no policy of the login names a path in it.';
    return this.#missing(linesOf(request, undefined), `${unseen} ${mountsIn(path, mounts)} If the path is right, a`);
  }

  /** @param before ends with the first letter of the sentence. */
  #missing(lines: readonly (readonly PolicyLine[])[], before = 'A'): string | undefined {
    if (lines.every((those) => those.length === 0)) return undefined;
    const { namespace, isLent } = this.#deps;
    const where = namespace === undefined ? '' : ` in namespace ${namespace}`;
    const [first = '', second] = lines.map((those) => those.map(formatPolicyLine).join(' '));
    const which = second === undefined ? first : `${first} for KV version 2, or ${second} for version 1`;
    if (!isLent) return `${before}dd to a policy of the login${where}: ${which}`;
    const lent = 'With auth: { method: none } the address must be that of a proxy that adds its token.';
    return `${lent} If it is, add to a policy of the login of that proxy${where}: ${which}`;
  }

  /** The mounts that the login sees; undefined when the server does not say. */
  async #mounts(place: string, signal: AbortSignal): Promise<readonly SeenMount[] | undefined> {
    const { clock } = this.#deps;
    if (this.#seen !== undefined && clock.monoMs() - this.#seen.monoMs < LIST_MS) return this.#seen.mounts;
    const { promise: aborted, resolve } = Promise.withResolvers<undefined>();
    const unlisten = onAbort(signal, () => resolve(undefined));
    try {
      return await Promise.race([this.#asking.run('list', () => this.#ask(place)), aborted]);
    } finally {
      unlisten();
    }
  }

  async #ask(place: string): Promise<readonly SeenMount[] | undefined> {
    const { vault, clock } = this.#deps;
    const stop = new AbortController();
    const cancel = deadline(clock, MAX_WAIT_MS, () => stop.abort());
    try {
      const call = { method: 'GET', path: 'sys/internal/ui/mounts', place, idempotent: true } as const;
      const secret = lookUp((await vault.call(call, stop.signal)).body, 'data', 'secret');
      const mounts = isFields(secret) ? mountsOf(secret) : undefined;
      if (mounts !== undefined) this.#seen = { mounts, monoMs: clock.monoMs() };
      return mounts;
    } catch {
      return undefined;
    } finally {
      cancel();
    }
  }
}

/** The advice about an answer to `read` that is one of KV version 2. */
export function isKv2Answer(path: string, place: string): Failure {
  const seen = `the answer of ${path} is one of KV version 2, with the stored fields below data`;
  return failure('SECRET_IS_KV', place, seen, {
    hint: `Write kv: ${kvPathBehind(path) ?? path}. The fields are then the stored ones.`,
  });
}

const RENEW_LINE: PolicyLine = { path: 'sys/leases/renew', capabilities: ['update'] };

function withHint(
  { failure: { code, place, seen, retry, retryAfterMs } }: VaultStatusError,
  hint: string,
): PannierError {
  return new PannierError(failure(code, place, seen, { hint, retry, retryAfterMs }));
}

function mountsOf(secret: Fields): readonly SeenMount[] {
  return [...secret].map(([name, mount]) => ({
    path: `${name.replace(/\/+$/, '')}/`,
    type: plainText(lookUp(mount, 'type')) ?? '',
    version: plainText(lookUp(mount, 'options', 'version')) === '2' ? 2 : 1,
  }));
}

/** The lines of one policy or, when the version of a KV mount is not known, of two. */
function linesOf(request: VaultRequest, mount: SeenMount | undefined): readonly (readonly PolicyLine[])[] {
  const isOpen = request.kind === 'vault-kv' && request.kvVersion === undefined && mount === undefined;
  if (!isOpen) return [policyLinesOf(request, mount)];
  return [2, 1].map((kvVersion) => policyLinesOf({ ...request, kvVersion: kvVersion as 1 | 2 }));
}

const isOfKv = (mount: SeenMount | undefined): mount is SeenMount => mount?.type === 'kv' || mount?.type === 'generic';

/** The configured version of a KV engine is not the one that the engine has. */
function otherVersion(mount: SeenMount | undefined, version: 1 | 2, configured: 1 | 2): string {
  const engine = mount?.path ?? 'The mount';
  return `${engine} is KV version ${version}, and kvVersion says ${configured}: write kvVersion: ${version}, or remove it.`;
}

/** Whether a path without `data/` is in a mount of KV version 2. */
function isPlainPathOfKv2(path: string, mount: SeenMount | undefined): boolean {
  if (mount === undefined || mount.type !== 'kv' || mount.version !== 2) return false;
  return !/^(?:data|metadata|config|subkeys|delete|undelete|destroy)(?:\/|$)/.test(path.slice(mount.path.length));
}

/** Names the mounts that the login sees, with the one that is probably meant first. */
function mountsIn(path: string, mounts: readonly SeenMount[] | undefined): string {
  const names = (mounts ?? []).filter(({ type }) => !BUILT_IN.has(type)).map((one) => one.path.slice(0, -1));
  if (names.length === 0) return mounts === undefined ? 'Check the path.' : 'It sees no other mount either.';
  const segments = path.split('/');
  const near = makeNearest(names);
  const meant = segments
    .map((_, index) => near(segments.slice(0, index + 1).join('/')))
    .find((one) => one !== undefined);
  const listed = names.slice(0, MAX_LISTED).map((name) => `${name}/`);
  const more = names.length > MAX_LISTED ? ` and ${names.length - MAX_LISTED} more` : '';
  return `${meant === undefined ? '' : `Did you mean ${meant}/? `}It sees ${listed.join(', ')}${more}.`;
}
