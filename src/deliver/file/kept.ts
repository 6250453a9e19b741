import { constants, type Stats } from 'node:fs';
import { open } from 'node:fs/promises';
import { holdFolder } from '../../base/held-folder.ts';
import { loadCrypto } from '../../base/node-crypto.ts';
import { Secret } from '../../base/secret.ts';
import { type Fields, isList, isSecret, type Value } from '../../base/value.ts';
import { slowDisk } from './disk.ts';
import { Folder } from './folder.ts';
import { readMark } from './mark.ts';
import { KEPT } from './names.ts';
import { readPublished } from './published.ts';
import { readGeneration } from './read-current.ts';

/** The value of a certificate that an output publishes, for the next process. */
export interface KeptCertificate {
  /** The hash of the identity of its want: of backend, login and request. */
  readonly id: string;
  /** When it came, on the wall clock. */
  readonly cameWallMs: number;
  readonly fields: Fields;
  /** The private key is known to be in a file in another form: converted, or encrypted in a keystore. */
  readonly isWritten?: boolean;
}

/** A larger file is not read: it would hold some thousand certificates. */
const MAX_BYTES = 16 * 1024 * 1024;
const FORMAT = 1;

/**
 * The bytes of `..kept`: those of the certificates whose private key is in a published file as well, so that no key
 * lies where it does not lie anyway: as it is, or `isWritten` in another form. Undefined when there is none.
 */
export function keptBytes(
  certificates: readonly KeptCertificate[],
  files: ReadonlyMap<string, Uint8Array>,
): Uint8Array | undefined {
  const published = publishedIn(files.values());
  const digest = certificates.some(({ isWritten }) => isWritten) ? digestOf(files) : undefined;
  const shown = certificates.flatMap(({ id, cameWallMs, fields, isWritten = false }) => {
    const isFound = isPublished(fields, published);
    if (!isFound && !isWritten) return [];
    // What cannot be found in the files is bound to all of them.
    return [{ id, cameWallMs, fields: plainFields(fields), ...(isFound ? {} : { files: digest }) }];
  });
  if (shown.length === 0) return undefined;
  return Buffer.from(`${JSON.stringify({ format: FORMAT, certificates: shown })}\n`);
}

/**
 * What an earlier process kept in an output's directory. Certificates count only while their private key is in the
 * published generation, or in the one that is held back: whoever writes `..kept` alone changes nothing. A key that is
 * written there in another form counts while all files are the same. A file that
 * another user owns or may read, a link, and one that is malformed hold nothing.
 * @param ignored is told why a file that is there holds nothing, without any of its contents.
 * @throws PannierError OUTPUT_OCCUPIED, errors of system calls as they are
 */
export async function readKept(
  dir: string,
  place: string,
  ignored: (why: string) => void = () => {},
): Promise<readonly KeptCertificate[]> {
  const read = await readOwn(dir);
  if ('why' in read) ignored(read.why);
  const parsed = 'text' in read ? parseKept(read.text) : [];
  if (parsed === undefined) ignored('its contents are not what Pannier writes');
  const certificates = parsed ?? [];
  if (certificates.length === 0) return [];
  const generations = await readGenerations(dir, place);
  const files = publishedIn(generations.flatMap((generation) => [...generation.values()]));
  const digests = new Set(certificates.some((one) => one.files !== undefined) ? generations.map(digestOf) : []);
  return certificates
    .filter(({ fields, files: digest = '' }) => digests.has(digest) || isPublished(fields, files))
    .map(({ id, cameWallMs, fields }) => ({ id, cameWallMs, fields }));
}

type Files = ReadonlyMap<string, Uint8Array>;

async function readGenerations(dir: string, place: string): Promise<readonly Files[]> {
  await using held = await holdFolder(dir);
  const folder = new Folder(held.at, { path: dir, place, disk: slowDisk, stats: held.stats });
  const published = await readPublished(slowDisk, folder, place);
  if (published.state !== 'there') return [];
  const mark = await readMark(slowDisk, folder);
  const generations = [published.generation, ...(mark?.held === undefined ? [] : [mark.held])];
  return await Promise.all(generations.map((one) => readGeneration(folder, one).catch(() => new Map())));
}

/** Names and bytes of all files as one short text. */
function digestOf(files: Files): string {
  const hash = loadCrypto().createHash('sha256');
  for (const name of [...files.keys()].sort()) {
    const bytes = files.get(name) as Uint8Array;
    hash.update(`${Buffer.byteLength(name)} ${bytes.length} ${name}`).update(bytes);
  }
  return hash.digest('base64url');
}

/** The text of the file; why it does not count; neither when there is none. */
type OwnText = { readonly text: string } | { readonly why: string } | Readonly<Record<string, never>>;

async function readOwn(dir: string): Promise<OwnText> {
  try {
    await using held = await holdFolder(dir);
    const file = await open(`${held.at}/${KEPT}`, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const why = whyNotOurs(await file.stat());
      return why === undefined ? { text: await file.readFile('utf8') } : { why };
    } finally {
      await file.close();
    }
  } catch (error) {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return {}; // nothing was kept
    return { why: code === 'ELOOP' ? 'it is a symbolic link' : `it cannot be read (${code})` };
  }
}

/** Why a file may not be from this user alone. */
function whyNotOurs(stats: Stats): string | undefined {
  const { uid, mode, nlink, size } = stats;
  if (!stats.isFile()) return 'it is no regular file';
  if (uid !== (process.geteuid?.() ?? uid)) return `user ${uid} owns it`;
  if ((mode & 0o077) !== 0) return `others may use it (mode ${(mode & 0o777).toString(8).padStart(4, '0')})`;
  if (nlink !== 1) return 'it has a second name';
  return size > MAX_BYTES ? 'it is too large' : undefined;
}

type ParsedCertificate = KeptCertificate & { readonly files?: string };

/** Undefined when the text is not what `keptBytes` writes. */
function parseKept(text: string): readonly ParsedCertificate[] | undefined {
  try {
    const { format, certificates } = JSON.parse(text) as { format: unknown; certificates: unknown };
    if (format !== FORMAT || !Array.isArray(certificates)) return undefined;
    const read = certificates.flatMap((one: unknown) => {
      const { id, cameWallMs, fields, files } = (one ?? {}) as { readonly [name in keyof ParsedCertificate]?: unknown };
      const isWhole = typeof id === 'string' && typeof cameWallMs === 'number' && typeof fields === 'object';
      if (!isWhole || fields === null) return [];
      return [{ id, cameWallMs, fields: readFields(fields), ...(typeof files === 'string' ? { files } : {}) }];
    });
    return read.length === certificates.length ? read : undefined;
  } catch {
    return undefined; // the message of JSON.parse would quote a key
  }
}

function readFields(fields: object): Fields {
  return new Map(
    Object.entries(fields).flatMap(([name, value]: [string, unknown]): [string, Value][] => {
      const read = readValue(value);
      return read === undefined ? [] : [[name, read]];
    }),
  );
}

function readValue(value: unknown): Value | undefined {
  if (typeof value === 'string') return Secret.text(value);
  if (typeof value === 'number') return Secret.number(String(value));
  return Array.isArray(value) ? value.flatMap((one) => readValue(one) ?? []) : undefined;
}

function plainFields(fields: Fields): Readonly<Record<string, unknown>> {
  return Object.fromEntries([...fields].map(([name, value]) => [name, plainValue(value)]));
}

function plainValue(value: Value): unknown {
  if (isList(value)) return value.map(plainValue);
  if (!isSecret(value)) return undefined;
  return value.type === 'number' ? Number(value.exposeText('file')) : value.exposeText('file');
}

/** The published files as text of one byte a character. */
interface PublishedText {
  readonly all: readonly string[];
  /** Those that may hold a key in DER, which is never plain text. */
  readonly binary: readonly string[];
}

function publishedIn(files: Iterable<Uint8Array>): PublishedText {
  const all = [...files].map((bytes) =>
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1'),
  );
  return { all, binary: all.filter((text) => /[\x80-\xff]/.test(text)) };
}

/**
 * Whether a private key is in one of the files: each line of its PEM, however the lines are put together (JSON has `\n`
 * between them), or its bytes (DER).
 */
function isPublished(fields: Fields, { all, binary }: PublishedText): boolean {
  const key = fields.get('privateKey');
  if (!isSecret(key) || key.type !== 'string') return false;
  const lines = key
    .exposeText('file')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('-----'));
  if (lines.length === 0) return false;
  if (all.some((file) => lines.every((line) => file.includes(line)))) return true;
  const der = Buffer.from(lines.join(''), 'base64').toString('latin1');
  return binary.some((file) => file.includes(der));
}
