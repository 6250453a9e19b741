import type { Readable } from 'node:stream';
import type { Clock } from '../base/clock.ts';

/** Of what a program printed this much is kept, counted from the end. */
const KEPT_BYTES = 4096;
const KEPT_LINES = 10;

/**
 * What is still on its way when the program has ended is there within this; a background process may keep the pipe
 * open.
 */
const REST_MS = 100;

/** Control characters but the tab: in a terminal they could hide what stands before them. */
const CONTROL = /[\p{Cc}\u2028\u2029]/gu;

/**
 * Keeps the last lines of a stream, which is read to its end so that it never holds up its writer. It does not keep our
 * own process from ending.
 */
export class LastLines {
  readonly #ended: Promise<void>;
  #tail = Buffer.alloc(0);
  #isCut = false;

  constructor(stream: Readable) {
    this.#ended = new Promise((resolve) => {
      stream.once('close', resolve);
      stream.once('error', () => resolve());
    });
    stream.on('data', (chunk: Buffer) => {
      const all = Buffer.concat([this.#tail, chunk]);
      this.#isCut ||= all.length > KEPT_BYTES;
      this.#tail = all.subarray(-KEPT_BYTES);
    });
    (stream as Readable & { unref?: () => void }).unref?.();
  }

  /**
   * The last ten lines at most, the first of them without its beginning where it was cut. To be called when the program
   * has ended.
   */
  async read(clock: Clock): Promise<readonly string[]> {
    const over = new AbortController();
    await Promise.race([this.#ended, clock.sleep(REST_MS, over.signal)]);
    over.abort();
    const text = this.#tail.toString('utf8').replace(/\r?\n$/, '');
    if (text === '') return [];
    const lines = text.split(/\r?\n/).map((line) => line.replace(/\t/g, ' ').replace(CONTROL, '?'));
    if (this.#isCut && lines.length > 1) lines.shift();
    return lines.slice(-KEPT_LINES);
  }
}
