import type { Readers } from '../config/parts-config.ts';
import type { PodSettings } from '../settings.ts';
import { type JsonMap, mapOf, numberOf } from './json.ts';

/** The user and the group of the agent, and who reads its files. */
export interface Users {
  readonly uid: number;
  readonly gid: number;
  readonly readers: Readers;
}

/** The user and the group of the image. */
export const OWN_ID = 65_532;

/**
 * The agent runs as the application does when all its containers name one user who is not root: then its files are
 * readable for that user alone. Else the group of the pod's volumes reads them, and without one every container that
 * mounts the volume.
 */
export function usersOf(spec: JsonMap, containers: readonly JsonMap[], settings: PodSettings): Users {
  const pod = mapOf(spec['securityContext']);
  const common = (key: string): number | undefined => {
    const all = new Set(
      containers.map((one) => numberOf(mapOf(one['securityContext'])[key]) ?? numberOf(pod[key]) ?? 'unknown'),
    );
    const [only] = all;
    return all.size === 1 && typeof only === 'number' ? only : undefined;
  };
  const theirs = common('runAsUser');
  const uid = settings.runAsUser ?? (theirs === undefined || theirs === 0 ? OWN_ID : theirs);
  const gid = settings.runAsGroup ?? (uid === theirs ? (common('runAsGroup') ?? OWN_ID) : OWN_ID);
  const fsGroup = numberOf(pod['fsGroup']);
  if (uid === theirs) return { uid, gid, readers: { kind: 'user' } };
  return { uid, gid, readers: fsGroup === undefined ? { kind: 'all' } : { kind: 'group', gid: fsGroup } };
}
