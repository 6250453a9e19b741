/** The longest event that is read: an object is limited to some 1.5 MiB, and an event of ours has its metadata only. */
export const MAX_LINE_BYTES = 4 * 1024 * 1024;

/** A line that is longer than `MAX_LINE_BYTES`. */
export class LineTooLong extends Error {}

/**
 * Cuts a stream of bytes into lines. It looks for the byte of a line's end, so a character that two chunks share is
 * whole again before anything decodes it.
 */
export class Lines {
  #parts: Uint8Array[] = [];
  #length = 0;

  /** The lines that are whole with this chunk, without empty ones. @throws LineTooLong */
  add(chunk: Uint8Array): readonly string[] {
    const lines: string[] = [];
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      this.#keep(chunk.subarray(from, end));
      const line = Buffer.concat(this.#parts).toString('utf8').trim();
      if (line !== '') lines.push(line);
      this.#parts = [];
      this.#length = 0;
      from = end + 1;
    }
    if (from < chunk.length) this.#keep(chunk.subarray(from));
    return lines;
  }

  #keep(part: Uint8Array): void {
    this.#length += part.length;
    if (this.#length > MAX_LINE_BYTES) throw new LineTooLong();
    this.#parts.push(part);
  }
}

const NEWLINE = 0x0a;
