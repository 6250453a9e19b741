import type { Clock } from '../base/clock.ts';
import { asFailure, type Failure, failure } from '../base/errors.ts';
import { loadCrypto } from '../base/node-crypto.ts';
import { type Change, readLine } from './change.ts';
import { FileTail } from './file-tail.ts';
import { Pause } from './pause.ts';

/** A log without a line for so long is proven again, by a request of our own that must show up in it. */
export const SILENT_MS = 60_000;

/** How long a line may take that belongs to a request which was answered. The server writes it before the answer. */
const LINE_MS = 5_000;

/** After a proof that failed the next one is made so soon. */
const AGAIN_MS = 5_000;

/** Lines that are no entries are told as what is wrong with the file, once there are so many in a row. */
const MAX_FOREIGN = 20;

const FOREIGN = 'holds no entries of an audit log in JSON';
const UNSHOWN = 'has no line of a request that the server has answered';

/**
 * Where the line of a request that was answered must be: in this log, or in that of another node, which carries out all
 * requests of this one.
 */
export type Proof = 'here' | 'elsewhere';

export interface AuditLogOptions {
  readonly path: string;
  /** Configuration path of the file, for failures. */
  readonly place: string;
  readonly clock: Clock;
  /**
   * Sends a request whose path ends in `name` to the server that writes the log. Resolves when it was answered,
   * whatever the answer.
   * @throws PannierError when there was no answer.
   */
  readonly probe: (name: string, signal: AbortSignal) => Promise<Proof>;
  readonly listener: AuditListener;
}

/** What is told of an audit log, synchronously and in the order of the file. */
export interface AuditListener {
  changed(change: Change): void;
  /** Changes may have been missed, although the log is read. */
  gap(): void;
  /** Whether each change is told from now on; `why` says why not. Told when it changes. */
  live(why: Failure | undefined): void;
}

/**
 * Follows the file audit log of a server and tells of its changes, until it is disposed of.
 *
 * That a file can be read does not mean that the server writes to it: the device may have been turned off, the file may
 * be that of another server, or a rotation may have left the server with the old one. So a log counts as live only
 * when it has shown a request of our own, or any line in the last minute since.
 */
export class AuditLog implements AsyncDisposable {
  readonly #options: AuditLogOptions;
  readonly #tail: FileTail;
  readonly #stop = new AbortController();
  readonly #proving: Promise<void>;
  #isLive: boolean | undefined;
  #why: string | undefined = 'has not been read yet';
  #lineMonoMs = Number.NEGATIVE_INFINITY;
  #foreign = 0;
  /** The name that a line must have, while a proof is under way. */
  #expected: { readonly name: string; readonly seen: () => void } | undefined;
  readonly #pause = new Pause();

  constructor(options: AuditLogOptions) {
    this.#options = options;
    const { path, clock, listener } = options;
    this.#tail = new FileTail(path, clock, {
      line: (text) => this.#line(text),
      gap: () => listener.gap(),
      read: (why) => this.#read(why),
    });
    this.#proving = this.#prove();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#pause.wake();
    await this.#tail[Symbol.asyncDispose]();
    await this.#proving;
  }

  #line(text: string): void {
    if (this.#stop.signal.aborted || text === '') return;
    const line = readLine(text);
    if (line === 'no-entry') {
      this.#foreign++;
      if (this.#foreign === MAX_FOREIGN) this.#tellWrong(FOREIGN);
      else if (this.#foreign < MAX_FOREIGN) this.#options.listener.gap(); // it may be the half of an entry
      return;
    }
    this.#foreign = 0;
    this.#noteLine();
    if (this.#expected !== undefined && text.includes(this.#expected.name)) this.#expected.seen();
    if (line !== 'no-change') this.#options.listener.changed(line);
  }

  #noteLine(): true {
    this.#lineMonoMs = this.#options.clock.monoMs();
    return true;
  }

  #read(why: string | undefined): void {
    this.#why = why;
    if (why !== undefined) this.#tellWrong(why);
    this.#pause.wake();
  }

  /** Proves the log again and again; the wait between depends on what came of it. */
  async #prove(): Promise<void> {
    const { clock, path } = this.#options;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const quietMs = clock.monoMs() - this.#lineMonoMs;
      if (this.#isLive === true && quietMs < SILENT_MS) {
        await this.#wait(SILENT_MS - quietMs);
        continue;
      }
      if (this.#why !== undefined) {
        await this.#wait(AGAIN_MS);
        continue;
      }
      try {
        if (await this.#isShown()) this.#tellLive(undefined);
        else this.#tellWrong(this.#foreign >= MAX_FOREIGN ? FOREIGN : UNSHOWN);
      } catch (error) {
        const { seen } = asFailure(error, this.#options.place);
        this.#tellLive(failure('FEED_DOWN', this.#options.place, `${path} cannot be proven: ${seen}`));
      }
      if (this.#isLive !== true) await this.#wait(AGAIN_MS);
    }
  }

  /** Whether a request of our own is in the log soon after it was answered. */
  async #isShown(): Promise<boolean> {
    const { clock, probe } = this.#options;
    const name = `pannier-${loadCrypto().randomBytes(12).toString('hex')}`;
    let isSeen = false;
    const waited = new AbortController();
    const end = () => waited.abort();
    this.#stop.signal.addEventListener('abort', end, { once: true });
    this.#expected = {
      name,
      seen: () => {
        isSeen = true;
        end();
      },
    };
    try {
      if ((await probe(name, this.#stop.signal)) === 'elsewhere') return this.#noteLine();
      this.#tail.look();
      if (!isSeen) await clock.sleep(LINE_MS, waited.signal);
      return isSeen;
    } finally {
      this.#stop.signal.removeEventListener('abort', end);
      this.#expected = undefined;
    }
  }

  #wait(ms: number): Promise<void> {
    return this.#pause.wait(this.#options.clock, ms, this.#stop.signal.aborted);
  }

  #tellWrong(what: string): void {
    const { path, place } = this.#options;
    this.#tellLive(failure('FEED_DOWN', place, `${path} ${what}`));
  }

  #tellLive(why: Failure | undefined): void {
    if (this.#stop.signal.aborted) return;
    const isSame = this.#isLive === (why === undefined);
    this.#isLive = why === undefined;
    if (!isSame || why !== undefined) this.#options.listener.live(why);
  }
}
