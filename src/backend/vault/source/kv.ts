import { asFailure, fail, type PannierError } from '../../../base/errors.ts';
import { equalValues, type Fields, isFields, isSecret, lookUp, plainText } from '../../../base/value.ts';
import type { Fetch, Fetched } from '../../backend.ts';
import { isNoMount, VaultStatusError } from '../client/client.ts';
import type { KvRequest } from '../config/request.ts';
import {
  changed,
  type FetchKind,
  malformed,
  readFields,
  readLease,
  settleFetch,
  type VaultSourceDeps,
} from './answer.ts';
import { Laggards } from './kv-laggards.ts';
import { type KvForm, kvApiPath, kvFormOf, kvPathOf } from './kv-path.ts';
import type { Mount, VaultMounts } from './mounts.ts';

/** The type of an engine that answered a read under a guess with a lease: only its not being KV is known. */
const LEASED = 'one that gives leases';

/**
 * Fetches secrets of KV engines, version 1 and 2. https://openbao.org/api-docs/secret/kv/
 *
 * A path may be written as for `bao kv get` (`secret/shop/app`) or as for the API (`secret/data/shop/app`), so a secret
 * whose own name begins with `data/` is written `secret/data/data/…`. With `mount`, the path may also be written
 * without the mount, and what follows the mount is the secret's own name, `data/` too. The server is asked for the
 * mount of a path and its version, once per mount. When it does not tell, the path with `data/` after its first segment
 * is tried, then the plain path; the one that succeeds is remembered.
 *
 * The secrets have no life: KV v1 gives a `lease_duration` of weeks and takes a field named `ttl` for one, but neither
 * ends the value, so both are ignored.
 */
export function createVaultKv(deps: VaultSourceDeps, mounts: VaultMounts): FetchKind<KvRequest> {
  const laggards = new Laggards(deps.clock);
  return async ({ want, request, last }, signal) => {
    const { place } = want;
    for (let isSecondTry = false; ; isSecondTry = true) {
      const { forms, mount } = await locate(mounts, request, place, signal);
      let refused: VaultStatusError | undefined;
      for (const form of forms) {
        try {
          const fetched = await readForm(deps, { form, request, last, place }, signal);
          if (forms.length > 1) mounts.learn(form.mount, 'kv', form.version);
          return laggards.isBehind(want, last, fetched) ? { state: 'unchanged', life: { kind: 'none' } } : fetched;
        } catch (error) {
          if (asFailure(error, place).code === 'SECRET_NOT_KV') mounts.learn(form.mount, LEASED, 1);
          if (!(error instanceof VaultStatusError) || (error.status !== 403 && error.status !== 404)) throw error;
          if (refused?.status !== 404) refused = error;
        }
      }
      // Where a value is held and its mount is gone, a fleet does not ask what else there may be: it polls as before.
      const isGone = last !== undefined && refused !== undefined && isNoMount(refused);
      if (!isGone && mount !== undefined && mounts.doubt(mount, refused) && !isSecondTry) continue;
      const { whyMissing } = await import('./kv-missing.ts');
      const isReported = mount?.source === 'reported';
      throw await whyMissing({ refused, isReported, form: forms[0], request, place }, (newest) =>
        readForm(deps, { ...newest, last: undefined, place }, signal),
      );
    }
  };
}

/** The forms to try, the likeliest first; only one when the server reported the mount. */
async function locate(
  mounts: VaultMounts,
  request: KvRequest,
  place: string,
  signal: AbortSignal,
): Promise<{ readonly forms: readonly KvForm[]; readonly mount?: Mount }> {
  const { path, guessed } = kvPathOf(request);
  if (request.kvVersion !== undefined) return { forms: [kvFormOf(path, guessed, request.kvVersion, request.mount)] };
  const mount = await mounts.find(path, { place, isPathPrivate: request.isPathPrivate }, signal);
  if (mount === 'refused') return { forms: [kvFormOf(path, guessed, 2, request.mount), kvFormOf(path, guessed, 1)] };
  if (!['kv', 'generic', 'cubbyhole'].includes(mount.type)) {
    throw notKv(mount.path, mount.type, request.isPathPrivate ? 'PATH' : path, place);
  }
  const form = kvFormOf(path, mount.path, mount.version, request.mount);
  const other = kvFormOf(path, mount.path, mount.version === 2 ? 1 : 2, request.mount);
  return { forms: mount.source === 'reported' ? [form] : [form, other], mount };
}

function notKv(mount: string, engine: string, path: string, place: string): PannierError {
  const details = { hint: `Use read: ${path} for this secret.`, retry: 'never' } as const;
  return fail('SECRET_NOT_KV', place, `${mount} is not a KV engine (${engine})`, details);
}

interface Reading {
  readonly form: KvForm;
  readonly request: KvRequest;
  readonly last: Fetched | undefined;
  readonly place: string;
}

async function readForm(deps: VaultSourceDeps, reading: Reading, signal: AbortSignal): Promise<Fetch> {
  const { form, request, last, place } = reading;
  const { mount, version } = form;
  const path = kvApiPath(form);
  const { isPathPrivate } = request;
  const get = { method: 'GET', place, idempotent: true, isPathPrivate } as const;
  if (version === 1) {
    if (request.version !== undefined) {
      const hint = 'Remove version: KV version 1 keeps no versions.';
      throw fail('BACKEND_REJECTED', place, `a version is pinned, but ${mount} is KV version 1`, { hint });
    }
    const answer = await deps.vault.call({ ...get, path }, signal);
    // The mount was guessed, and the read made a credential. `createVaultKv` remembers the mount, so this happens once.
    if (readLease(answer) !== undefined) throw notKv(mount, LEASED, isPathPrivate ? 'PATH' : path, place);
    const fields = readFields(answer.body, place);
    return settleFetch({ last, fields, life: { kind: 'none' } }, deps.nextVersion);
  }
  const query = request.version === undefined ? {} : { query: { version: String(request.version) } };
  try {
    const { body } = await deps.vault.call({ ...get, path, ...query }, signal);
    return readVersion(body, last, place);
  } catch (error) {
    if (!(error instanceof VaultStatusError) || error.status !== 404) throw error;
    throw (await import('./kv-missing.ts')).whyGone(error, place);
  }
}

/**
 * Reads an answer of KV version 2. After a metadata delete the numbers start again with other values, so `created_time`
 * is part of the version.
 */
function readVersion(body: Fields, last: Fetched | undefined, place: string): Fetch {
  const data = body.get('data');
  const fields = lookUp(data, 'data');
  const number = plainText(lookUp(data, 'metadata', 'version'));
  const created = plainText(lookUp(data, 'metadata', 'created_time'));
  if (isSecret(fields) && fields.type === 'null') throw fail('SECRET_EMPTY', place, 'the version holds no data');
  if (!isFields(fields)) throw malformed(place, 'data.data is not an object');
  if (number === undefined || created === undefined) throw malformed(place, 'data.metadata names no version');
  const version = `${number} ${created}`;
  const life = { kind: 'none' } as const;
  if (last?.version === version && equalValues(last.fields, fields)) return { state: 'unchanged', life };
  return changed(fields, version, life);
}
