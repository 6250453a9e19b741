import { type FSWatcher, watch } from 'node:fs';
import { basename } from 'node:path';

/** A folder to be told of. */
export interface WatchedFolder {
  readonly path: string;
  /** Another one for another folder at the same path. */
  readonly id: string;
  /** The names in it that count; absent: all of them. */
  readonly names?: ReadonlySet<string>;
}

/**
 * Tells that something in some folders may have changed, by inotify where there is one. It is a hint and no more: where
 * the system tells nothing (a network file system, too many watches, a mount over the folder), the looks that come
 * without it find the change.
 */
export class PublishedWatch implements Disposable {
  readonly #changed: () => void;
  readonly #watched = new Map<
    string,
    { readonly id: string; readonly watcher: FSWatcher; names?: ReadonlySet<string> }
  >();

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** Watches these folders and no other. */
  follow(folders: readonly WatchedFolder[]): void {
    const wanted = new Map(folders.map((folder) => [folder.path, folder]));
    for (const [path, { id }] of this.#watched) if (wanted.get(path)?.id !== id) this.#forget(path);
    for (const folder of folders) this.#watch(folder);
  }

  [Symbol.dispose](): void {
    for (const path of [...this.#watched.keys()]) this.#forget(path);
  }

  #watch({ path, id, names }: WatchedFolder): void {
    const before = this.#watched.get(path);
    const named = names === undefined ? {} : { names };
    if (before !== undefined) return void Object.assign(before, named);
    let watcher: FSWatcher;
    try {
      watcher = watch(path, { persistent: false });
    } catch {
      return;
    }
    const watched = { id, watcher, ...named };
    this.#watched.set(path, watched);
    watcher.on('error', () => this.#forget(path));
    watcher.on('change', (event, name) => {
      if (this.#watched.get(path) !== watched) return;
      // The folder itself is told of by its own name: it was removed or moved, and this watch ends or leads elsewhere.
      const isItself = name === null || name === basename(path);
      if (event === 'rename' && isItself) this.#forget(path);
      if (isItself || watched.names?.has(String(name)) !== false) this.#changed();
    });
  }

  #forget(path: string): void {
    this.#watched.get(path)?.watcher.close();
    this.#watched.delete(path);
  }
}
