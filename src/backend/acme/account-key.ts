import type { KeyObject } from 'node:crypto';
import { link, lstat, open, unlink } from 'node:fs/promises';
import { errnoOf, errnoWord } from '../../base/errno.ts';
import { fail, failure } from '../../base/errors.ts';
import type { Emit } from '../../base/fact.ts';
import { fileCall } from '../../base/file-call.ts';
import { loadCrypto } from '../../base/node-crypto.ts';
import { statInTime } from '../../base/read-file.ts';
import { keyPem, makeKey } from '../../certificate/local-key.ts';
import { unfolded } from '../../certificate/pem.ts';
import { readCredential } from '../credential-file.ts';
import { canSign } from './client/jws.ts';
import type { AcmeAccountConfig } from './config/config.ts';

export interface AccountKeyOptions {
  readonly account: AcmeAccountConfig;
  /** Configuration path of the backend. */
  readonly place: string;
  readonly emit: Emit;
}

/**
 * The key of the account. A file that is missing is made (0600), with a warning: whoever loses the file loses the
 * account. A file that cannot be read, or that holds something else, is never replaced.
 * @throws PannierError AUTH_CREDENTIAL_UNREADABLE, AUTH_CREDENTIAL_EMPTY, AUTH_UNUSABLE
 */
export async function loadAccountKey(
  { account: { key, keyFile }, place, emit }: AccountKeyOptions,
  signal: AbortSignal,
): Promise<KeyObject> {
  if (key !== undefined) return parseKey(key.exposeText('backend'), `${place}.accountKey`, 'it');
  const at = `${place}.accountKeyFile`;
  const path = keyFile as string;
  if (await isMissing(path, at)) await makeKeyFile(path, at, emit);
  return parseKey((await readCredential(path, at, signal)).exposeText('backend'), at, path);
}

/** The key of the account, as `loadAccountKey` gives it; undefined when its file is missing, which is not made. */
export async function findAccountKey(options: AccountKeyOptions, signal: AbortSignal): Promise<KeyObject | undefined> {
  const { keyFile } = options.account;
  const isNone = keyFile !== undefined && (await isMissing(keyFile, `${options.place}.accountKeyFile`));
  return isNone ? undefined : await loadAccountKey(options, signal);
}

/** @throws PannierError AUTH_CREDENTIAL_UNREADABLE for a symlink to what is missing: no key is made in its place. */
async function isMissing(path: string, place: string): Promise<boolean> {
  try {
    await statInTime(path);
    return false;
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') return false; // that is told when the file is read
  }
  const there = await fileCall(path, () => lstat(path)).catch(() => undefined);
  if (!there?.isSymbolicLink()) return there === undefined; // another process may have made it now
  const hint = 'Provide the key that it leads to, or remove the symlink to have a key made.';
  throw fail('AUTH_CREDENTIAL_UNREADABLE', place, `${path} is a symlink to what does not exist`, { hint });
}

/** Makes the file as a whole: a kill leaves none, and of two processes that make it both use the key of the first. */
async function makeKeyFile(path: string, place: string, emit: Emit): Promise<void> {
  // In a container each start has the same process id: what a killed one has left must not be in the way.
  const made = `${path}.${loadCrypto().randomBytes(6).toString('hex')}`;
  try {
    await writeKey(made);
    await link(made, path);
    const hint = 'Keep the file over restarts: with another key Pannier is another account.';
    emit({
      kind: 'agent-warning',
      warning: failure('AUTH_KEY_MADE', place, `${path} did not exist, and has a new account key now`, { hint }),
    });
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return;
    const seen = `${path} does not exist and cannot be made (${errnoWord(error)})`;
    const hint = 'Provide the key, or a folder that Pannier may write to and that outlives it.';
    throw fail('AUTH_CREDENTIAL_UNREADABLE', place, seen, { hint });
  } finally {
    await unlink(made).catch(() => {}); // it is not there when it could not be made
  }
}

async function writeKey(path: string): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(keyPem(await makeKey({ type: 'ec', curve: 'P-256' }), 'pkcs8'));
    await file.sync();
  } finally {
    await file.close();
  }
}

function parseKey(pem: string, place: string, what: string): KeyObject {
  let key: KeyObject | undefined;
  try {
    key = loadCrypto().createPrivateKey(unfolded(pem)); // in a variable a key is often one line
  } catch {
    // told below, since the words of Node may quote the key
  }
  if (key !== undefined && canSign(key)) return key;
  const hint = 'A private key in PEM without a password is expected: EC, RSA or Ed25519.';
  throw fail('AUTH_UNUSABLE', place, `${what} holds no private key that ACME can use`, { hint });
}
