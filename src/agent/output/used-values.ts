import type { LeaseManager } from '../../lease/manager.ts';
import type { Snapshot } from '../../lease/snapshot.ts';

/** By the id of a want, the version of its value that a generation was made of. Only values that can be ended. */
export type UsedVersions = ReadonlyMap<string, string>;

/** So many generations are remembered, more than an output can be rolled back to. */
const MAX_GENERATIONS = 32;

/**
 * Which values the generations of an output are made of, so that nothing ends a credential that an application still
 * has. It outlives the loops of an output; generations of an earlier process are not known to it.
 *
 * The application may use the values of two generations: the published one, and the one that it took up last.
 */
export class UsedValues {
  readonly #byGeneration = new Map<number, UsedVersions>();
  #published = 0;
  #takenUp = 0;

  /** The generation was found published; what it is made of is known if this process has published it. */
  recovered(generation: number): void {
    this.#published = generation;
  }

  /** The generation was published, and is made of these values. */
  published(generation: number, versions: UsedVersions): void {
    this.#published = generation;
    this.#set(generation, versions);
  }

  /** The published generation has the bytes that these values make. */
  equal(versions: UsedVersions): void {
    this.#set(this.#published, versions);
  }

  /** The generation was published, and has the files of an earlier one. */
  republished(generation: number, earlier: number): void {
    this.published(generation, this.#byGeneration.get(earlier) ?? new Map());
  }

  /** The application has the generation, and no earlier one. */
  takenUp(generation: number): void {
    this.#takenUp = generation;
  }

  /**
   * Whether the application may use this version of a want's value.
   * @param everHad whether a generation counts that was replaced, as for a process that keeps its environment.
   */
  has(wantId: string, version: string, everHad: boolean): boolean {
    for (const [generation, versions] of this.#byGeneration) {
      const counts = everHad || generation === this.#published || generation === this.#takenUp;
      if (counts && versions.get(wantId) === version) return true;
    }
    return false;
  }

  #set(generation: number, versions: UsedVersions): void {
    this.#byGeneration.delete(generation);
    this.#byGeneration.set(generation, versions);
    for (const number of this.#byGeneration.keys()) {
      if (this.#byGeneration.size <= MAX_GENERATIONS) return;
      if (number !== this.#takenUp) this.#byGeneration.delete(number);
    }
  }
}

/** The versions of the leases and certificates in a snapshot. */
export function versionsIn(snapshot: Snapshot, manager: Pick<LeaseManager, 'wantIdOf'>): UsedVersions {
  const versions = new Map<string, string>();
  for (const name of snapshot.names()) {
    const entry = snapshot.get(name);
    if (entry === undefined || entry.state === 'absent') continue;
    const { life, version } = entry.value;
    const id = life.kind === 'lease' || life.kind === 'certificate' ? manager.wantIdOf(name) : undefined;
    if (id !== undefined) versions.set(id, version);
  }
  return versions;
}
