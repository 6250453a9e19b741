import { type Stats, statSync } from 'node:fs';
import { errnoWord } from '../../../base/errno.ts';
import { fail, type PannierError } from '../../../base/errors.ts';
import { FileCallError } from '../../../base/file-call.ts';
import { fileStamp } from '../../../base/file-stamp.ts';
import { readFileInTime, statInTime } from '../../../base/read-file.ts';
import type { AwsCredentialSources } from '../config/config.ts';

const MAX_BYTES = 16 * 1024 * 1024;

type Files = Pick<AwsCredentialSources, 'credentialsFile' | 'configFile' | 'profile'>;

/** The keys of a profile that make it a source of credentials; a profile may also state only a region. */
const GIVES_KEYS =
  /^(?:aws_access_key_id|aws_secret_access_key|role_arn|credential_process|credential_source|source_profile|sso_.*|web_identity_token_file|login_session)$/;

/** The stamps of both shared files as one text, see `fileStamp`. */
export function sharedFilesStamp({ credentialsFile, configFile }: Files): string {
  return [credentialsFile, configFile].map((path) => fileStamp(statOf(path))).join(' ');
}

/**
 * Checks the shared files before the SDK reads them. The SDK takes a file that it cannot read for an empty one and goes
 * on to the next link; but a file that is unreadable, or is being written, must not lead to the keys of another
 * identity. A file in a directory that the user may not enter counts as absent (HOME of another user), and so does
 * something that is not a file, such as /dev/null.
 * @throws PannierError AUTH_CREDENTIAL_UNREADABLE, AUTH_CREDENTIAL_EMPTY for the credentials file alone.
 */
export async function checkSharedFiles({ credentialsFile, configFile }: Files, place: string): Promise<void> {
  for (const path of [credentialsFile, configFile]) {
    const lines = await linesOf(path, place);
    if (lines === undefined) continue;
    if (lines.length === 0 && path === credentialsFile) {
      throw fail('AUTH_CREDENTIAL_EMPTY', place, `shared files: empty: ${path}`);
    }
    if (lines.some(isContent) && !lines.some((line) => SECTION.test(line)))
      throw unreadable(place, 'no profile in', path);
  }
}

/**
 * To be called when the profile gave no keys.
 * @throws PannierError AUTH_CREDENTIAL_UNREADABLE when the profile names a source of keys, or is empty as while its
 * file is being written.
 */
export async function checkProfile({ credentialsFile, configFile, profile }: Files, place: string): Promise<void> {
  const [own, more] = await bothOf({ credentialsFile, configFile, profile }, profile, place);
  const path = own === undefined ? configFile : credentialsFile;
  if (own?.size === 0 || [...(own?.keys() ?? []), ...(more?.keys() ?? [])].some((key) => GIVES_KEYS.test(key))) {
    throw unreadable(place, `profile ${profile} gives no keys in`, path);
  }
}

const SECTION = /^\s*\[([^\]]+)\]/;
const isContent = (line: string): boolean => !/^\s*(?:[#;]|$)/.test(line);

/** A profile, merged from both files. */
export interface Profile {
  readonly name: string;
  readonly values: ReadonlyMap<string, string>;
}

/** The configured profile, and the profiles that its `source_profile` leads to. Empty when it is in neither file. */
export async function profilesOf(files: Files, place: string): Promise<readonly Profile[]> {
  const found = new Map<string, Profile>();
  for (let name: string | undefined = files.profile; name !== undefined && !found.has(name); ) {
    const [own, more] = await bothOf(files, name, place);
    if (own === undefined && more === undefined) break;
    const values = new Map([...(more ?? []), ...(own ?? [])]);
    found.set(name, { name, values });
    name = values.get('source_profile');
  }
  return [...found.values()];
}

function bothOf({ credentialsFile, configFile }: Files, profile: string, place: string) {
  const inConfig = profile === 'default' ? ['default', 'profile default'] : [`profile ${profile}`];
  return Promise.all([valuesOf(credentialsFile, place, [profile]), valuesOf(configFile, place, inConfig)]);
}

/** The settings of a profile in one file; undefined when the file does not have the profile. */
async function valuesOf(
  path: string,
  place: string,
  names: readonly string[],
): Promise<ReadonlyMap<string, string> | undefined> {
  let found: Map<string, string> | undefined;
  let isOurs = false;
  let isNested = false;
  for (const line of (await linesOf(path, place)) ?? []) {
    const section = SECTION.exec(line)?.[1]?.trim().replace(/\s+/g, ' ');
    if (section !== undefined) {
      isOurs = names.includes(section);
      isNested = false;
      if (isOurs) found ??= new Map();
      continue;
    }
    const [key = '', ...rest] = line.split('=');
    if (!isOurs || !isContent(line) || rest.length === 0) continue;
    const value = rest.join('=').trim();
    // Indented lines below a key without a value are settings of that key.
    if (isNested && /^\s/.test(line)) continue;
    isNested = value === '';
    found?.set(key.trim(), value);
  }
  return found;
}

/** The lines of a file; none for a file of white space, undefined when there is no file. */
async function linesOf(path: string, place: string): Promise<readonly string[] | undefined> {
  try {
    const stats = await statInTime(path).catch((error: unknown) => {
      if (error instanceof FileCallError) throw error;
    });
    // The SDK reads the file after this check, and its read would block on a FIFO.
    if (stats?.isFIFO()) throw new FileCallError('EFTYPE');
    if (stats === undefined || !(stats.isFile() || stats.isDirectory())) return undefined;
    const text = (await readFileInTime(path, { maxBytes: MAX_BYTES })).bytes.toString('utf8');
    return text.trim() === '' ? [] : text.split('\n');
  } catch (error) {
    const code = errnoWord(error);
    if (code === 'ENOENT') return undefined; // removed after the `stat`
    throw unreadable(place, `cannot be read (${code}):`, path);
  }
}

const unreadable = (place: string, what: string, path: string): PannierError =>
  fail('AUTH_CREDENTIAL_UNREADABLE', place, `shared files: ${what} ${path}`, {
    hint: 'Correct the file, or remove it to use other credentials.',
  });

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}
