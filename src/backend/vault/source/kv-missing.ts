import { asFailure, fail, type PannierError } from '../../../base/errors.ts';
import { lookUp, plainText } from '../../../base/value.ts';
import type { Fetch } from '../../backend.ts';
import { isNoMount, VaultStatusError } from '../client/client.ts';
import type { KvRequest } from '../config/request.ts';
import type { KvForm } from './kv-path.ts';

interface Missing {
  /** The refusal of the likeliest form. */
  readonly refused: VaultStatusError | undefined;
  /** The server reported the mount. */
  readonly isReported: boolean;
  /** The form that was tried first. */
  readonly form: KvForm | undefined;
  readonly request: KvRequest;
  readonly place: string;
}

/** What to read to see whether a secret is there. */
type Newest = Pick<Missing, 'request'> & { readonly form: KvForm };

/** Why a secret could not be read in any form. `read` is called when a pinned version may be what is missing. */
export async function whyMissing(missing: Missing, read: (newest: Newest) => Promise<Fetch>): Promise<PannierError> {
  const { refused, isReported, form, request, place } = missing;
  const failed = notThere(refused, isReported, request, place);
  const { version: pinned, ...newest } = request;
  if (pinned === undefined || form?.version !== 2 || refused?.status !== 404) return failed;
  return (await whichVersion(pinned, place, () => read({ form, request: newest }))) ?? failed;
}

/** A 404 of KV v2 with metadata says whether the version is deleted or destroyed; others are returned as they are. */
export function whyGone(error: VaultStatusError, place: string): PannierError {
  const metadata = lookUp(error.body, 'data', 'metadata');
  const number = plainText(lookUp(metadata, 'version')) ?? '?';
  if (plainText(lookUp(metadata, 'destroyed')) === 'true') {
    return fail('SECRET_DESTROYED', place, `version ${number} is destroyed`);
  }
  const deleted = plainText(lookUp(metadata, 'deletion_time'));
  if (deleted) return fail('SECRET_DELETED', place, `version ${number} is deleted`);
  return error;
}

/**
 * The failure of a pinned version that the secret does not have; undefined when the secret is not there either. The
 * server answers in the same way in both cases, so the newest version is read, and its value is dropped.
 */
async function whichVersion(
  pinned: number,
  place: string,
  readNewest: () => Promise<Fetch>,
): Promise<PannierError | undefined> {
  let newest: string;
  try {
    const found = await readNewest();
    newest = found.state === 'changed' ? `the newest is ${found.value.version.split(' ', 1)[0]}` : 'there are others';
  } catch (error) {
    const { code, seen } = asFailure(error, place);
    if (code !== 'SECRET_DELETED' && code !== 'SECRET_DESTROYED') return undefined;
    newest = `the newest, ${seen}`;
  }
  const hint = 'Write a version that the secret has, or remove version to follow the newest.';
  return fail('SECRET_NOT_FOUND', place, `the secret has no version ${pinned}; ${newest}`, { hint });
}

/** Adds a hint to the refusal, which says whether the mount or the secret is missing when that is known. */
function notThere(
  refused: VaultStatusError | undefined,
  mountIsReported: boolean,
  { version: pinned, kvVersion }: KvRequest,
  place: string,
): PannierError {
  if (refused === undefined) throw new TypeError('no form of the path was tried');
  if (refused.status !== 404 || isNoMount(refused)) return refused;
  const { code, seen } = refused.failure;
  const hint = mountIsReported
    ? 'The KV mount exists, the secret does not: check the path, or write the secret.'
    : 'Check that a KV engine is mounted there, and the path below it.';
  const failed = fail(code, place, pinned === undefined ? seen : `version ${pinned}: ${seen}`, { hint });
  // The engine may have another version than the configured one, which the advice finds out.
  return kvVersion === undefined ? failed : new VaultStatusError(failed.failure, refused.status, refused.body);
}
