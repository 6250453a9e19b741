import { errnoOf } from '../../base/errno.ts';
import type { Folder } from './folder.ts';
import { diskFailure } from './trouble.ts';
import { syncFolder, type Volume } from './volume.ts';

/** A file of Pannier's own beside the generations. */
export interface OwnFile {
  readonly name: string;
  /** The name under which it is made; a file that a kill left there is removed. */
  readonly made: string;
  readonly bytes: Uint8Array;
}

/** Writes a file (0600) beside and renames it over, so that a kill leaves the old file or the new one. */
export async function replaceFile(folder: Folder, own: OwnFile, volume: Volume, place: string): Promise<void> {
  const { disk } = volume;
  const made = folder.at(own.made);
  const file = { bytes: own.bytes, mode: 0o600, sync: volume.tmpfs !== true };
  try {
    await disk.create(made, file);
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
    try {
      await disk.unlink(made); // a kill left it
    } catch (refused) {
      throw diskFailure(refused, place, `cannot remove ${folder.shown(own.made)}`);
    }
    await disk.create(made, file);
  }
  await disk.rename(made, folder.at(own.name));
  await syncFolder(folder.at(), volume);
}
