import { parseDuration } from '../../../base/duration.ts';
import { trimSlashes } from '../../../config/api-path.ts';
import type { ConfigEntry } from '../../../config/load/entry.ts';
import { type ConfigPath, pathKey } from '../../../config/place.ts';
import type { Problems } from '../../../config/problems/problems.ts';
import { DATA_BEHIND_MOUNT, kvPathBehind } from '../source/kv-path.ts';
import type { EndField, VaultRequest } from './request.ts';
import type { VaultSecretShape } from './request-schema.ts';

let resolveCertificate: typeof import('./resolve-certificate.ts').resolveCertificate | undefined;

/** Loads what a configuration with `certificate` needs; `resolveVaultRequest` relies on it. */
export async function loadCertificateRequests(): Promise<void> {
  resolveCertificate = (await import('./resolve-certificate.ts')).resolveCertificate;
}

const LITERAL_HINT = 'Use ${env:NAME} or ${file:PATH}.';

const OVERLAP = '24h';

/** Makes the request of a secret that has one of the request keys. */
export function resolveVaultRequest(
  { kv, read, write, certificate, trustBundle, version, mount, kvVersion, end: givenEnd, revokeOld }: VaultSecretShape,
  entry: ConfigEntry,
  problems: Problems,
): VaultRequest | undefined {
  if (kv !== undefined) {
    if (kvVersion === 1 && version !== undefined) {
      const place = [...entry.path, 'version'];
      problems.add('CONFIG_INVALID', entry.file, place, 'KV version 1 keeps no versions', 'Remove it.');
    }
    const path = trimSlashes(kv);
    if (mount === undefined && kvVersion !== 1) warnOfData(path, entry, problems);
    return {
      kind: 'vault-kv',
      path,
      ...(version === undefined ? {} : { version }),
      ...(mount === undefined ? {} : { mount: trimSlashes(mount) }),
      ...(kvVersion === undefined ? {} : { kvVersion }),
    };
  }
  const end = givenEnd === undefined ? {} : { end: endField(givenEnd) };
  const upkeep =
    revokeOld === undefined ? {} : { upkeep: { revokeOldAfterMs: parseDuration(revokeOld.after) as number } };
  if (read !== undefined) {
    const path = trimSlashes(read);
    if (givenEnd === undefined) warnOfKv2(path, entry, problems);
    return { kind: 'vault-read', path, ...end, ...upkeep };
  }
  if (write !== undefined) {
    const path = trimSlashes(write.path);
    warnOfLiterals(write.data ?? {}, [...entry.path, 'write', 'data'], entry, problems);
    return { kind: 'vault-write', path, data: write.data ?? {}, ...end, ...upkeep };
  }
  if (trustBundle !== undefined) {
    const { issuer, overlap = OVERLAP } = trustBundle;
    return { kind: 'vault-trust-bundle', issuer: trimSlashes(issuer), overlapMs: parseDuration(overlap) as number };
  }
  return certificate && resolveCertificate?.(certificate, entry, problems);
}

/** Only a warning: another engine may have such a path. The first answer tells, see `createVaultRead`. */
function warnOfKv2(path: string, { file, path: at }: ConfigEntry, problems: Problems): void {
  const plain = kvPathBehind(path);
  if (plain === undefined) return;
  const place = [...at, 'read'];
  const isShown = !file.filled.has(pathKey(place));
  const seen = `${isShown ? path : 'the path'} looks like one of KV version 2, with the stored fields below data`;
  const kv = isShown ? `kv: ${plain}` : 'kv, and leave data/ out of the path';
  problems.warn('SECRET_IS_KV', file, place, seen, `If it is, write ${kv}. The fields are then the stored ones.`);
}

/** Only a warning: a KV engine of version 1 has such paths, and whoever copied the path of the API means just that. */
function warnOfData(path: string, { file, path: at }: ConfigEntry, problems: Problems): void {
  if (!DATA_BEHIND_MOUNT.test(path)) return;
  const seen = 'of KV version 2 the secret without data/ is read: data/ behind the mount is no part of the name';
  const hint = 'Leave data/ out, or write data/data/ when the name begins with data/.';
  problems.warn('SECRET_KV_DATA', file, [...at, 'kv'], seen, hint);
}

function endField(end: NonNullable<VaultSecretShape['end']>): EndField {
  if (typeof end === 'string') return { field: end };
  const { field, unit } = end;
  return unit === undefined ? { field } : { field, unit };
}

/** A parameter with one of these names is a secret. Other parameters are not checked. */
const SECRET_PARAMETER = /^(?:password|passwd|secret|secret_id|token|private_key|client_secret)$/i;

function warnOfLiterals(
  data: Readonly<Record<string, unknown>>,
  place: ConfigPath,
  { file }: ConfigEntry,
  problems: Problems,
): void {
  for (const [key, value] of Object.entries(data)) {
    const path = [...place, key];
    if (typeof value !== 'string' || !SECRET_PARAMETER.test(key) || file.filled.has(pathKey(path))) continue;
    problems.warn('CONFIG_LITERAL_SECRET', file, path, 'a secret is written literally', LITERAL_HINT);
  }
}
