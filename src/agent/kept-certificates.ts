import { isAbsolute, join } from 'node:path';
import type { KeptValue } from '../backend/backend.ts';
import { failure } from '../base/errors.ts';
import type { Emit } from '../base/fact.ts';
import { loadCrypto } from '../base/node-crypto.ts';
import type { FileConfig, FileContent } from '../config/config.ts';
import { placeOfOutput } from '../config/place.ts';
import { type KeptCertificate, keptBytes, readKept } from '../deliver/file/kept.ts';
import { KEPT } from '../deliver/file/names.ts';
import type { Sink } from '../deliver/sink.ts';
import type { FindKept } from '../lease/attempts.ts';
import type { LeaseManager } from '../lease/manager.ts';
import type { Snapshot } from '../lease/snapshot.ts';
import type { Plan } from './plan.ts';

/**
 * Finds certificates that an earlier process kept: in the directories of the outputs that need them, or where their
 * backend keeps its own. The one that came last counts: what a backend has may not be published yet.
 * @param plan the present plan.
 * @param emit is told once of each directory whose file does not count.
 */
export function findKeptIn(plan: () => Plan | undefined, emit: Emit): FindKept {
  const reads = new Map<string, Promise<readonly KeptCertificate[]>>();
  const told = new Set<string>();
  const tell = (dir: string, place: string, why: string) => {
    if (told.has(dir)) return;
    told.add(dir);
    const seen = `${join(dir, KEPT)} is ignored: ${why}`;
    const hint = 'See who changed the file. Pannier writes it again, for its own user alone.';
    emit({ kind: 'agent-warning', warning: failure('CERTIFICATE_KEPT_IGNORED', place, seen, { hint }) });
  };
  // All certificates of an output are looked for at the same time, and share one read.
  const read = (dir: string, output: string) => {
    const running = reads.get(dir);
    if (running !== undefined) return running;
    const place = placeOfOutput(output);
    const begun = readKept(dir, place, (why) => tell(dir, place, why)).finally(() => reads.delete(dir));
    reads.set(dir, begun);
    return begun;
  };
  const published = async (wanted: string, names: ReadonlySet<string>): Promise<KeptValue | undefined> => {
    const outputs = plan()?.outputs ?? [];
    for (const { output, renderer } of outputs) {
      if (!isAbsolute(output.dir)) continue; // a reader without files
      if (![...names].some((name) => renderer.wants.has(name))) continue;
      const kept = await read(output.dir, output.name).catch(() => []);
      const found = kept.find((one) => one.id === wanted);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  return async ({ want, names, backend: { source } }) => {
    const [inOutput, own] = await Promise.all([published(hashOf(want.id), names), source.kept?.(want)]);
    return inOutput === undefined || (own !== undefined && own.cameWallMs > inOutput.cameWallMs) ? own : inOutput;
  };
}

export interface KeepDeps {
  readonly sink: Sink;
  readonly manager: Pick<LeaseManager, 'wantIdOf'>;
  /** What the files of the output are made of. */
  readonly contents: ReadonlyMap<string, Pick<FileConfig, 'content'>>;
  /** Whether the output's directory is on tmpfs. */
  readonly tmpfs: boolean;
}

/** Has the sink keep the certificates of a snapshot that are published with their keys in `files`. */
export async function keepCertificates(
  { sink, manager, contents, tmpfs }: KeepDeps,
  snapshot: Snapshot,
  files: ReadonlyMap<string, Uint8Array>,
): Promise<void> {
  const certificates: KeptCertificate[] = [];
  for (const name of snapshot.names()) {
    const entry = snapshot.get(name);
    const id = manager.wantIdOf(name);
    if (id === undefined || entry === undefined || entry.state === 'absent') continue;
    const { life, fields } = entry.value;
    if (life.kind !== 'certificate' || life.stored) continue;
    const isWritten = [...contents.values()].some(({ content }) => holdsKey(content, name, tmpfs));
    certificates.push({ id: hashOf(id), cameWallMs: entry.changedWallMs, fields, isWritten });
  }
  const bytes = keptBytes(certificates, files);
  if (bytes !== undefined || sink.hasKept) await sink.keep?.(bytes);
}

/**
 * Whether a file is made with the private key of a secret, in any form. A key that is encrypted there is kept in plain
 * only where that never comes to a disk.
 */
function holdsKey(content: FileContent, secret: string, tmpfs: boolean): boolean {
  if (content.kind !== 'format' || !content.from.some(([name]) => name === secret)) return false;
  const { format, options: { parts = [], password } = {} } = content;
  const isEncrypted = format === 'pkcs12' || password !== undefined;
  const hasKey = format === 'pkcs12' || ((format === 'pem' || format === 'der') && parts.includes('key'));
  return hasKey && (tmpfs || !isEncrypted);
}

function hashOf(wantId: string): string {
  return loadCrypto().createHash('sha256').update(wantId).digest('base64url');
}
