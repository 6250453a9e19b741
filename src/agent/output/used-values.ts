import type { Config } from '../../config/config.ts';
import type { Made, MadeValue, PublishedGeneration } from '../../deliver/output-state.ts';
import type { LeaseManager } from '../../lease/manager.ts';
import type { Snapshot } from '../../lease/snapshot.ts';

/** By the id of a want, the version of its value that a generation was made of. Only values that can be ended. */
export type UsedVersions = ReadonlyMap<string, string>;

/** So many generations are remembered, more than an output can be rolled back to. */
const MAX_GENERATIONS = 32;
/** So many values of replaced generations are remembered, of outputs with thousands of secrets. */
const MAX_VALUES = 20_000;

/**
 * Which values the generations of an output are made of, so that nothing ends a credential that an application still
 * has, and so that the agent can say what is published. It outlives the loops of an output; of the generations of an
 * earlier process it knows what `recall` told.
 *
 * The application may use the values of two generations: the published one, and the one that it took up last.
 */
export class UsedValues {
  readonly #byGeneration = new Map<number, UsedVersions>();
  readonly #made = new Map<number, Made>();
  #published = 0;
  #takenUp = 0;

  /** The generation was found published; what it is made of is known if this process has published it. */
  recovered(generation: number): void {
    this.#published = generation;
  }

  /** The generation was published, and is made of these values. */
  published(generation: number, versions: UsedVersions, made?: Made): void {
    this.#published = generation;
    this.#set(generation, versions);
    if (made !== undefined) this.#remember(generation, made);
  }

  /** The published generation has the bytes that these values make. */
  equal(versions: UsedVersions, made?: Made): void {
    this.#set(this.#published, versions);
    if (made === undefined) return;
    const { atWallMs: _, ...same } = made;
    const atWallMs = this.#made.get(this.#published)?.atWallMs;
    this.#remember(this.#published, atWallMs === undefined ? same : { ...same, atWallMs });
  }

  /** The generation was published at this time, and has the files of an earlier one. */
  republished(generation: number, earlier: number, atWallMs: number): void {
    const made = this.#made.get(earlier);
    const again = made && { ...made, atWallMs };
    this.published(generation, this.#byGeneration.get(earlier) ?? new Map(), again);
  }

  /** An earlier process noted what it made this generation of. What this one knows of it counts more. */
  recall(generation: number, made: Made): void {
    const known = this.#made.get(generation);
    if (known === undefined) this.#made.set(generation, made);
    else if (known.atWallMs === undefined && made.atWallMs !== undefined) {
      this.#made.set(generation, { ...known, atWallMs: made.atWallMs });
    }
  }

  /** What is published; undefined: nothing. */
  get present(): PublishedGeneration | undefined {
    if (this.#published === 0) return undefined;
    return { generation: this.#published, made: this.#made.get(this.#published) };
  }

  /** What is known of the generations. */
  get known(): ReadonlyMap<number, Made> {
    return this.#made;
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

  #remember(generation: number, made: Made): void {
    this.#made.delete(generation);
    let count = 0;
    for (const [number, { values }] of [...this.#made].reverse()) {
      count += values.size;
      if (count > MAX_VALUES || number < generation - MAX_GENERATIONS) this.#made.delete(number);
    }
    this.#made.set(generation, made);
  }
}

/** The versions of the leases and certificates in a snapshot, and what can be said of each of its values. */
export function versionsIn(
  snapshot: Snapshot,
  manager: Pick<LeaseManager, 'wantIdOf'>,
  config: Config | undefined,
): { readonly versions: UsedVersions; readonly values: Made['values'] } {
  const versions = new Map<string, string>();
  const values = new Map<string, MadeValue>();
  for (const name of snapshot.names()) {
    const entry = snapshot.get(name);
    if (entry === undefined || entry.state === 'absent') continue;
    const { life, version } = entry.value;
    const id = manager.wantIdOf(name);
    if (id === undefined) continue;
    const isEnded = life.kind === 'lease' || life.kind === 'certificate';
    if (isEnded) versions.set(id, version);
    const isOwn = isEnded || isOfThisMachine(name, config);
    const { fetchedWallMs, valueNumber } = entry;
    values.set(name, { id, version, isOwn, fetchedWallMs, valueNumber });
  }
  return { versions, values };
}

/** The name of a computed secret has its backend as second word. */
function isOfThisMachine(name: string, config: Config | undefined): boolean {
  const backend = config?.secrets.get(name)?.backend ?? name.split(' ', 2)[1] ?? '';
  return config?.backends.get(backend)?.kind === 'file';
}
