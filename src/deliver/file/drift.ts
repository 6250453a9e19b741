import type { Clock } from '../../base/clock.ts';
import type { OutputConfig } from '../../config/config.ts';
import type { Made } from '../output-state.ts';
import type { Difference, DriftLook, EarlierGeneration, Sink } from '../sink.ts';
import type { OutputDirectory } from './directory.ts';
import type { Folder } from './folder.ts';
import type { Generations } from './generations.ts';
import { generationName } from './names.ts';
import { planGeneration } from './plan.ts';
import { PublishedRecord } from './published-record.ts';
import { PublishedWatch, type WatchedFolder } from './published-watch.ts';
import { readNote, writeNote } from './statement-note.ts';
import type { Volume } from './volume.ts';

/** What looks need of the sink that publishes. */
export interface DriftDeps {
  readonly output: OutputConfig;
  readonly place: string;
  readonly clock: Pick<Clock, 'monoMs'>;
  readonly directory: Pick<OutputDirectory, 'path' | 'workIfKnown'>;
  readonly generations: Pick<Generations, 'looked' | 'remember'>;
  /** The published generation, as far as this process knows. */
  readonly published: () => number | undefined;
  readonly earlier: Sink['earlier'];
}

/** Looks at what a file sink has published. `init` never needs this code: import it on first use. */
export function createDriftLook(deps: DriftDeps): DriftLook {
  return new FileDrift(deps);
}

class FileDrift implements DriftLook {
  readonly #deps: DriftDeps;
  #record: PublishedRecord | undefined;
  #watch: PublishedWatch | undefined;

  constructor(deps: DriftDeps) {
    this.#deps = deps;
  }

  async remember(files: ReadonlyMap<string, Uint8Array>): Promise<void> {
    const { output, clock, place, published } = this.#deps;
    const generation = published();
    this.#record =
      generation === undefined
        ? undefined
        : new PublishedRecord(generation, planGeneration(output, files), { clock, place });
    if (this.#record !== undefined) this.#deps.generations.remember(this.#record);
  }

  async look(): Promise<readonly Difference[]> {
    const { directory, generations, published } = this.#deps;
    const record = this.#record;
    // What was published a moment ago is not remembered yet.
    if (record === undefined || record.generation !== published()) return [];
    const found = await directory.workIfKnown(async (volume, folder) => {
      await this.#follow(record, volume, folder); // before the look, so that no change falls between the two
      const differences = await record.differences(volume, folder);
      generations.looked(record.generation, differences.length > 0 && !(await record.isUntouched(volume, folder)));
      return differences;
    });
    if (found === undefined) return [{ of: 'content', seen: `${directory.path} is gone, or another directory` }];
    return found;
  }

  watch(changed: () => void): Disposable {
    this.#watch = new PublishedWatch(changed);
    return this.#watch;
  }

  async spare(): Promise<EarlierGeneration | undefined> {
    const earlier = await this.#deps.earlier();
    return earlier !== undefined && this.#record?.isOf(earlier.files) === true ? earlier : undefined;
  }

  async note(made: ReadonlyMap<number, Made>): Promise<void> {
    const { place, directory } = this.#deps;
    await directory.workIfKnown((volume, folder) => writeNote(made, volume, folder, place));
  }

  async noted(): Promise<ReadonlyMap<number, Made>> {
    return (await this.#deps.directory.workIfKnown(readNote)) ?? new Map();
  }

  async #follow(record: PublishedRecord, { disk }: Volume, folder: Folder): Promise<void> {
    if (this.#watch === undefined) return;
    const { path: dir } = this.#deps.directory;
    const idOf = ({ dev, ino }: { readonly dev: number; readonly ino: number }) => `${dev}:${ino}`;
    const folders: WatchedFolder[] = [{ path: dir, id: idOf(folder.stats), names: record.topNames }];
    for (const name of record.folders) {
      const below = name === '' ? generationName(record.generation) : `${generationName(record.generation)}/${name}`;
      try {
        folders.push({ path: `${dir}/${below}`, id: idOf(await disk.lstat(folder.at(below))) });
      } catch {
        // It is gone, which the look finds.
      }
    }
    this.#watch.follow(folders);
  }
}
