import { fstatSync } from 'node:fs';
import { fail } from '../../base/errors.ts';
import { FileTarget } from './file-target.ts';
import { SocketTarget } from './socket-target.ts';
import type { LineTarget, TargetDeps } from './target.ts';

const STDOUT = 1;

/**
 * Standard output. It is opened once more where that is possible: a write to a full pipe must not wait, and without a
 * descriptor of its own the pipe would not wait for the child of `exec` either. A socket, as the service manager gives
 * it, cannot be opened again, and neither can a pipe of another user: there the stream itself is made not to wait,
 * unless a child shares it.
 */
export class StdoutTarget implements LineTarget {
  readonly #place: string;
  readonly #deps: TargetDeps;
  readonly #isShared: boolean;
  #target: LineTarget | undefined;

  /** @param isShared a child writes to it too. */
  constructor(isShared: boolean, place: string, deps: TargetDeps) {
    this.#isShared = isShared;
    this.#place = place;
    this.#deps = deps;
  }

  /** Opens it once: a stream that the process was started with does not come back. */
  async open(): Promise<void> {
    if (this.#target !== undefined) return;
    if (!isSocket()) {
      const own = new FileTarget(`/proc/self/fd/${STDOUT}`, this.#place, this.#deps);
      const isOpen = await own.open().then(
        () => true,
        () => false,
      );
      if (isOpen) {
        this.#target = own;
        return;
      }
    }
    if (this.#isShared) {
      const hint = 'Use log.auditFile or a socket, or start the agent with a pipe or a file as its standard output.';
      throw fail('LOG_AUDIT', this.#place, 'standard output is a socket that the child shares', { hint });
    }
    const target = new SocketTarget({ fd: STDOUT }, 'standard output', this.#place, this.#deps);
    await target.open();
    this.#target = target;
  }

  write(bytes: Buffer): number {
    return this.#target?.write(bytes) ?? 0;
  }

  close(): void {
    // The stream of the process stays open; only an own descriptor is closed.
    if (this.#target instanceof FileTarget) this.#target.close();
  }
}

function isSocket(): boolean {
  try {
    return fstatSync(STDOUT).isSocket();
  } catch {
    return false; // closed
  }
}
