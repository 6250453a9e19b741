import { type Stats, statSync } from 'node:fs';
import { errnoWord } from '../../../base/errno.ts';
import { fail, type PannierError } from '../../../base/errors.ts';
import { FileCallError } from '../../../base/file-call.ts';
import { readFileInTime, statInTime } from '../../../base/read-file.ts';
import type { AwsCredentialSources } from '../config/config.ts';

const MAX_BYTES = 16 * 1024 * 1024;

type Files = Pick<AwsCredentialSources, 'credentialsFile' | 'configFile' | 'profile'>;

/** What makes a profile one that gives keys; with none of them it may say the region, and no more. */
const GIVES_KEYS =
  /^(?:aws_access_key_id|aws_secret_access_key|role_arn|credential_process|credential_source|source_profile|sso_.*|web_identity_token_file|login_session)$/;

/** State of the shared files, which another content or other permissions change. */
export function sharedFilesStamp({ credentialsFile, configFile }: Files): string {
  return [credentialsFile, configFile]
    .map((path) => {
      const stats = statOf(path);
      return stats === undefined ? 'none' : `${stats.dev}:${stats.ino}:${stats.size}:${stats.mtimeMs}:${stats.ctimeMs}`;
    })
    .join(' ');
}

/**
 * The SDK takes a file that it cannot read for an empty one. A file that is there and cannot be read, or is being
 * written, must not make somebody else's keys be used. A file in a directory that we may not enter counts as absent
 * (HOME of another user), and so does one that is no file, such as /dev/null.
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
 * To be called when the profile gave nothing.
 * @throws PannierError AUTH_CREDENTIAL_UNREADABLE when it says where keys come from, or is not whole.
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

/** A profile as the two files say it together. */
export interface Profile {
  readonly name: string;
  readonly values: ReadonlyMap<string, string>;
}

/** The profile, and those that its `source_profile` leads to. Empty: it is in neither file. */
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

/** What a file says of a profile; undefined: it is not there. */
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
    // What is indented below a key without a value belongs to that key.
    if (isNested && /^\s/.test(line)) continue;
    isNested = value === '';
    found?.set(key.trim(), value);
  }
  return found;
}

/** Undefined: there is no such file. */
async function linesOf(path: string, place: string): Promise<readonly string[] | undefined> {
  try {
    const stats = await statInTime(path).catch((error: unknown) => {
      if (error instanceof FileCallError) throw error;
    });
    // The SDK reads it again, and would wait for a FIFO.
    if (stats?.isFIFO()) throw new FileCallError('EFTYPE');
    if (stats === undefined || !(stats.isFile() || stats.isDirectory())) return undefined;
    const text = (await readFileInTime(path, { maxBytes: MAX_BYTES })).bytes.toString('utf8');
    return text.trim() === '' ? [] : text.split('\n');
  } catch (error) {
    const code = errnoWord(error);
    if (code === 'ENOENT') return undefined; // it went in between
    throw unreadable(place, `cannot be read (${code}):`, path);
  }
}

const unreadable = (place: string, what: string, path: string): PannierError =>
  fail('AUTH_CREDENTIAL_UNREADABLE', place, `shared files: ${what} ${path}`, {
    hint: 'Correct the file, or remove it when other credentials are meant.',
  });

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}
