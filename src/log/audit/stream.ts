import { backoffMs } from '../../base/backoff.ts';
import type { Clock } from '../../base/clock.ts';
import { deadline } from '../../base/deadline.ts';
import { asFailure, type Failure, failure, type PannierError } from '../../base/errors.ts';
import type { Emit, Fact } from '../../base/fact.ts';
import type { LineTarget, TargetDeps } from './target.ts';

/** Lines, and bytes of them, that wait at most. */
export const MAX_LINES = 10_000;
const MAX_BYTES = 4 * 1024 * 1024;
/** The longest that the end waits for a reader. */
export const CLOSE_MS = 1_000;
/** While lines are lost, their number is told this often at most. */
const TELL_MS = 10_000;

export interface AuditStreamDeps {
  readonly clock: Clock;
  readonly random: () => number;
  /** Configuration path, for messages. */
  readonly place: string;
  /** Makes a line of a fact, with its end. */
  readonly form: (fact: Fact) => string;
  /** Gets the facts whose lines are not written where they belong, or not yet. */
  readonly otherwise: Emit;
  /** Gets warnings, and how many lines were lost. */
  readonly report: Emit;
  readonly target: (deps: TargetDeps) => LineTarget;
}

interface Waiting {
  readonly fact: Fact;
  readonly bytes: Buffer;
  /** The log has it. */
  isInLog: boolean;
}

/**
 * The lines of the audit, on their way to a file, a socket or standard output. Nothing waits for their reader:
 *
 * 1. A line goes out at once when those before it have. Else it waits, and the number of lines that wait is bounded.
 * 2. While the target cannot be opened or written, which is a warning, the lines that wait are in the log as well. The
 *    target is opened again with backoff, and then gets what waited.
 * 3. A line that finds no place is lost to the stream, and the log has it. The first loss is told at once, later ones
 *    with their number; a line in the stream stands where those that are lost would.
 */
export class AuditStream {
  readonly #deps: AuditStreamDeps;
  readonly #target: LineTarget;
  #form: (fact: Fact) => string;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  /** How many bytes of the first line the target has. */
  #written = 0;
  #state: 'opening' | 'open' | 'failed' | 'closed' = 'opening';
  #opening: Promise<void> | undefined;
  #failures = 0;
  #cancelRetry: (() => void) | undefined;
  /** Lines that are lost and that no line of the stream tells of yet; of these, those that `report` has not. */
  #lost = 0;
  #untold = 0;
  #toldAtMs = 0;
  /** Lines were lost, and some have waited ever since. */
  #isLosing = false;
  #onEmpty: (() => void) | undefined;

  private constructor(deps: AuditStreamDeps) {
    this.#deps = deps;
    this.#form = deps.form;
    const after = (ms: number, wake: () => void) => deps.clock.after(ms, wake);
    const onBroken = (why: PannierError) => {
      if (this.#state === 'open') this.#fail(why);
    };
    this.#target = deps.target({ onReady: () => this.#write(), onBroken, after });
  }

  /** Opens the target; when that fails it is a warning. Never rejects. */
  static async open(deps: AuditStreamDeps): Promise<AuditStream> {
    const stream = new AuditStream(deps);
    await stream.#open();
    return stream;
  }

  add(fact: Fact): void {
    const bytes = Buffer.from(this.#form(fact));
    if (this.#state === 'closed' || !this.#hasRoom(bytes.length)) this.#lose(fact);
    else {
      if (this.#lost > 0) this.#tellGap();
      this.#push(fact, bytes);
      this.#write();
    }
  }

  /** Opens the target anew, as after a rotation. @param form makes lines from now on. */
  async reopen(form: (fact: Fact) => string): Promise<void> {
    this.#form = form;
    await this.#open();
  }

  /** Writes what waits, within a bound; the log gets what was not written. Never rejects. */
  async close(): Promise<void> {
    this.#cancelRetry?.();
    if (this.#state === 'open' && this.#waiting.length > 0) {
      await new Promise<void>((resolve) => {
        const cancel = deadline(this.#deps.clock, CLOSE_MS, resolve);
        this.#onEmpty = () => {
          cancel();
          resolve();
        };
        this.#write();
      });
    }
    this.#state = 'closed';
    this.#cancelRetry?.();
    this.#target.close();
    for (const { fact, isInLog } of this.#waiting.splice(0)) {
      if (fact.kind === 'api-audit') this.#lose(fact, isInLog);
    }
    this.#report(true);
  }

  /** After a loss there is room when half of the lines are gone: the lines that tell of losses are few. */
  #hasRoom(bytes: number): boolean {
    const part = this.#lost > 0 ? 0.5 : 1;
    return this.#waiting.length < MAX_LINES * part && this.#waitingBytes + bytes <= MAX_BYTES * part;
  }

  #open(): Promise<void> {
    this.#opening ??= this.#openTarget().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async #openTarget(): Promise<void> {
    if (this.#state === 'closed') return;
    this.#cancelRetry?.();
    this.#cancelRetry = undefined;
    try {
      await this.#target.open();
    } catch (error) {
      return this.#fail(error);
    }
    if (this.#isClosed()) return this.#target.close();
    this.#written = 0;
    this.#state = 'open';
    this.#write();
  }

  /** TypeScript does not see that the state can change while something is awaited. */
  #isClosed(): boolean {
    return this.#state === 'closed';
  }

  #push(fact: Fact, bytes: Buffer): void {
    const isInLog = this.#state === 'failed';
    if (isInLog) this.#deps.otherwise(fact);
    this.#waiting.push({ fact, bytes, isInLog });
    this.#waitingBytes += bytes.length;
  }

  #write(): void {
    try {
      while (this.#state === 'open') {
        const [first] = this.#waiting;
        if (first === undefined) {
          if (this.#lost === 0) break;
          this.#tellGap();
          continue;
        }
        const taken = this.#target.write(first.bytes.subarray(this.#written));
        if (taken === 0) return;
        this.#written += taken;
        if (this.#written < first.bytes.length) continue;
        this.#written = 0;
        this.#waiting.shift();
        this.#waitingBytes -= first.bytes.length;
      }
      if (this.#waiting.length > 0) return;
      this.#failures = 0;
      this.#isLosing = false;
      this.#onEmpty?.();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    if (this.#state === 'closed') return;
    const { clock, random, place, report, otherwise } = this.#deps;
    // A target that opens and then takes nothing, as a file on a full disk does, is one that goes on failing.
    const isFirst = this.#failures === 0;
    this.#state = 'failed';
    this.#failures++;
    if (isFirst) report({ kind: 'agent-warning', warning: asFailure(error, place) });
    for (const line of this.#waiting) {
      if (!line.isInLog) otherwise(line.fact);
      line.isInLog = true;
    }
    this.#cancelRetry?.();
    this.#cancelRetry = clock.after(backoffMs(this.#failures, random), () => void this.#open());
    this.#onEmpty?.();
  }

  /** @param isInLog the log has the line already. */
  #lose(fact: Fact, isInLog = false): void {
    if (!isInLog) this.#deps.otherwise(fact);
    this.#lost++;
    this.#untold++;
    this.#report(false);
  }

  #report(isNow: boolean): void {
    const { clock, report } = this.#deps;
    if (this.#untold === 0) return;
    if (this.#isLosing && !isNow && clock.monoMs() - this.#toldAtMs < TELL_MS) return;
    report({ kind: 'audit-lost', lines: this.#untold, failure: this.#whyLost(), again: this.#isLosing });
    this.#isLosing = true;
    this.#untold = 0;
    this.#toldAtMs = clock.monoMs();
  }

  /** Puts a line where lines are missing. */
  #tellGap(): void {
    this.#report(true);
    const fact: Fact = {
      ...{ kind: 'audit-lost', audit: true, lines: this.#lost, failure: this.#whyLost(), again: false },
    };
    this.#lost = 0;
    const bytes = Buffer.from(this.#form(fact));
    this.#waiting.push({ fact, bytes, isInLog: true });
    this.#waitingBytes += bytes.length;
  }

  #whyLost(): Failure {
    const seen = this.#isClosed() ? 'the agent ended before they were written' : `more than ${MAX_LINES} lines wait`;
    const hint = 'They are in the log when its level shows them. Check the program that reads the audit.';
    return failure('LOG_AUDIT', this.#deps.place, seen, { hint });
  }
}
