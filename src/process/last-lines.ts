import type { Readable } from 'node:stream';
import type { Clock } from '../base/clock.ts';

/** How much is kept of what a program printed, counted from the end. */
const MAX_BYTES = 4096;
const MAX_LINES = 10;

/**
 * How long to wait for the end of the stream after the program has ended. Output that is still in the pipe arrives by
 * then; a background process may keep the pipe open for longer.
 */
const REST_MS = 100;

/** Control characters and line separators: in a terminal they could hide the text before them. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are looked for
const CONTROL = /[\0-\x1f\x7f-\x9f\u2028\u2029]/g;

/**
 * Keeps the last lines of a stream. The stream is read to its end, so that its writer never has to wait, and does not
 * keep Pannier's own process alive.
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
      this.#isCut ||= all.length > MAX_BYTES;
      this.#tail = all.subarray(-MAX_BYTES);
    });
    (stream as Readable & { unref?: () => void }).unref?.();
  }

  /**
   * At most the last ten lines, with control characters replaced. A first line without its beginning is left out,
   * unless it is the only one. To be called when the program has ended.
   */
  async read(clock: Clock): Promise<readonly string[]> {
    const timer = new AbortController();
    await Promise.race([this.#ended, clock.sleep(REST_MS, timer.signal)]);
    timer.abort();
    const text = this.#tail.toString('utf8').replace(/\r?\n$/, '');
    if (text === '') return [];
    const lines = text.split(/\r?\n/).map((line) => line.replace(/\t/g, ' ').replace(CONTROL, '?'));
    if (this.#isCut && lines.length > 1) lines.shift();
    return lines.slice(-MAX_LINES);
  }
}
