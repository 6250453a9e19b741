import { asFailure, fail, type PannierError } from '../../../base/errors.ts';
import { equalValues, type Fields, isFields, isSecret, lookUp, plainText } from '../../../base/value.ts';
import { trimSlashes } from '../../../config/api-path.ts';
import type { Fetch, Fetched } from '../../backend.ts';
import { VaultStatusError } from '../client/client.ts';
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
import { firstSegment, type Mount, type VaultMounts } from './mounts.ts';

/** What is known of an engine that answered a guess with a lease. */
const LEASED = 'one that gives leases';

/** One way to read a secret: `rest` below `mount` (with its slash), as that version of the engine wants it. */
interface KvForm {
  readonly version: 1 | 2;
  readonly mount: string;
  readonly rest: string;
}

/**
 * KV secrets, version 1 and 2. https://openbao.org/api-docs/secret/kv/
 *
 * A path is written as `bao kv get` takes it (`secret/shop/app`), and as the API takes it (`secret/data/shop/app`): a
 * secret whose own name begins with `data/` is written `secret/data/data/…`. With `mount:` the path may be below it.
 * Mount and version are asked for once per mount. When the server does not tell, `data/` after the first segment is
 * tried, then the plain path, and what went well is remembered.
 *
 * There is no life: KV v1 prints a `lease_duration` of weeks and treats a field called `ttl` as one, and neither makes
 * the value end, so both are ignored.
 */
export function createVaultKv(tools: VaultSourceDeps, mounts: VaultMounts): FetchKind<KvRequest> {
  const laggards = new Laggards(tools.clock);
  return async ({ want, request, last }, signal) => {
    const { place } = want;
    for (let isSecondTry = false; ; isSecondTry = true) {
      const { forms, mount } = await locate(mounts, request, place, signal);
      let refused: VaultStatusError | undefined;
      for (const form of forms) {
        try {
          const fetched = await readForm(tools, { form, request, last, place }, signal);
          if (forms.length > 1) mounts.learn(form.mount, 'kv', form.version);
          return laggards.isBehind(want, last, fetched) ? { state: 'unchanged', life: { kind: 'none' } } : fetched;
        } catch (error) {
          if (asFailure(error, place).code === 'SECRET_NOT_KV') mounts.learn(form.mount, LEASED, 1);
          if (!(error instanceof VaultStatusError) || (error.status !== 403 && error.status !== 404)) throw error;
          if (refused?.status !== 404) refused = error;
        }
      }
      if (mount !== undefined && mounts.doubt(mount, refused) && !isSecondTry) continue;
      throw notThere(refused, mount?.source === 'told', request.version, place);
    }
  };
}

/** The forms to try, likeliest first: one when the mount is known. */
async function locate(
  mounts: VaultMounts,
  request: KvRequest,
  place: string,
  signal: AbortSignal,
): Promise<{ readonly forms: readonly KvForm[]; readonly mount?: Mount }> {
  const written = trimSlashes(request.path);
  const given = request.mount === undefined ? undefined : `${trimSlashes(request.mount)}/`;
  const path = given === undefined || `${written}/`.startsWith(given) ? written : given + written;
  const guessed = given ?? `${firstSegment(path)}/`;
  if (request.kvVersion !== undefined) return { forms: [formOf(path, guessed, request.kvVersion)] };
  const mount = await mounts.find(path, { place, isPathPrivate: request.isPathPrivate }, signal);
  if (mount === 'refused') return { forms: [formOf(path, guessed, 2), formOf(path, guessed, 1)] };
  if (!['kv', 'generic', 'cubbyhole'].includes(mount.type)) {
    throw notKv(mount.path, mount.type, request.isPathPrivate ? 'PATH' : path, place);
  }
  const form = formOf(path, mount.path, mount.version);
  const other = formOf(path, mount.path, mount.version === 2 ? 1 : 2);
  return { forms: mount.source === 'told' ? [form] : [form, other], mount };
}

function notKv(mount: string, engine: string, path: string, place: string): PannierError {
  const details = { hint: `Use read: ${path} for it.`, retry: 'never' } as const;
  return fail('SECRET_NOT_KV', place, `${mount} is a mount of another engine (${engine})`, details);
}

function formOf(path: string, mount: string, version: 1 | 2): KvForm {
  const rest = path.slice(mount.length);
  return { version, mount, rest: version === 2 && rest.startsWith('data/') ? rest.slice(5) : rest };
}

interface Reading {
  readonly form: KvForm;
  readonly request: KvRequest;
  readonly last: Fetched | undefined;
  readonly place: string;
}

async function readForm(tools: VaultSourceDeps, reading: Reading, signal: AbortSignal): Promise<Fetch> {
  const { form, request, last, place } = reading;
  const { mount, rest, version } = form;
  const { isPathPrivate } = request;
  const get = { method: 'GET', place, idempotent: true, isPathPrivate } as const;
  if (version === 1) {
    if (request.version !== undefined) {
      const hint = 'Remove version: version 1 of the engine keeps none.';
      throw fail('BACKEND_REJECTED', place, `a pinned version, but ${mount} is KV version 1`, { hint });
    }
    const answer = await tools.vault.call({ ...get, path: mount + rest }, signal);
    // Only a guessed mount gets here. The read has minted; the mount is remembered, so that it does so once.
    if (readLease(answer) !== undefined) throw notKv(mount, LEASED, isPathPrivate ? 'PATH' : mount + rest, place);
    const fields = readFields(answer.body, place);
    return settleFetch({ last, fields, life: { kind: 'none' } }, tools.nextVersion);
  }
  const query = request.version === undefined ? {} : { query: { version: String(request.version) } };
  try {
    const { body } = await tools.vault.call({ ...get, path: `${mount}data/${rest}`, ...query }, signal);
    return readVersion(body, last, place);
  } catch (error) {
    throw error instanceof VaultStatusError && error.status === 404 ? whyGone(error, place) : error;
  }
}

/** After a metadata delete version 1 comes back with other bytes, so `created_time` is part of the version. */
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

/** A 404 of KV v2 with metadata in it tells what became of the version; one without is returned as it is. */
function whyGone(error: VaultStatusError, place: string): PannierError {
  const metadata = lookUp(error.body, 'data', 'metadata');
  const number = plainText(lookUp(metadata, 'version')) ?? '?';
  if (plainText(lookUp(metadata, 'destroyed')) === 'true') {
    return fail('SECRET_DESTROYED', place, `version ${number} is destroyed`);
  }
  const deleted = plainText(lookUp(metadata, 'deletion_time'));
  if (deleted) return fail('SECRET_DELETED', place, `version ${number} is deleted`);
  return error;
}

/** The refusal, with a hint whether the mount or the secret is missing where that is known. */
function notThere(
  refused: VaultStatusError | undefined,
  mountIsTold: boolean,
  pinned: number | undefined,
  place: string,
): PannierError {
  if (refused === undefined) throw new TypeError('no form of the path was tried');
  if (refused.status !== 404) return refused;
  const { code, seen } = refused.failure;
  const hint = mountIsTold
    ? 'The KV mount exists, the secret does not: check the path, or write the secret.'
    : 'Check that a KV engine is mounted there, and the path below it.';
  return fail(code, place, pinned === undefined ? seen : `version ${pinned}: ${seen}`, { hint });
}
