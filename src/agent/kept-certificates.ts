import { isAbsolute } from 'node:path';
import { loadCrypto } from '../base/node-crypto.ts';
import { placeOfOutput } from '../config/place.ts';
import { type KeptCertificate, keptBytes, readKept } from '../deliver/file/kept.ts';
import type { Sink } from '../deliver/sink.ts';
import type { FindKept } from '../lease/attempts.ts';
import type { LeaseManager } from '../lease/manager.ts';
import type { Snapshot } from '../lease/snapshot.ts';
import type { Plan } from './plan.ts';

/**
 * Finds certificates that an earlier process kept, in the directories of the outputs that need them.
 * @param plan the present plan.
 */
export function findKeptIn(plan: () => Plan | undefined): FindKept {
  const reads = new Map<string, Promise<readonly KeptCertificate[]>>();
  // All certificates of an output are looked for at the same time, and share one read.
  const read = (dir: string, output: string) => {
    const running = reads.get(dir);
    if (running !== undefined) return running;
    const begun = readKept(dir, placeOfOutput(output)).finally(() => reads.delete(dir));
    reads.set(dir, begun);
    return begun;
  };
  return async ({ id }, names) => {
    const wanted = hashOf(id);
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
}

/** Has the sink keep the certificates of a snapshot that are published with their keys in `files`. */
export async function keepCertificates(
  sink: Sink,
  snapshot: Snapshot,
  files: ReadonlyMap<string, Uint8Array>,
  manager: Pick<LeaseManager, 'wantIdOf'>,
): Promise<void> {
  const certificates: KeptCertificate[] = [];
  for (const name of snapshot.names()) {
    const entry = snapshot.get(name);
    const id = manager.wantIdOf(name);
    if (id === undefined || entry === undefined || entry.state === 'absent') continue;
    const { life, fields } = entry.value;
    if (life.kind !== 'certificate' || life.stored) continue;
    certificates.push({ id: hashOf(id), cameWallMs: entry.changedWallMs, fields });
  }
  const bytes = keptBytes(certificates, files);
  if (bytes !== undefined || sink.hasKept) await sink.keep?.(bytes);
}

function hashOf(wantId: string): string {
  return loadCrypto().createHash('sha256').update(wantId).digest('base64url');
}
