import type { Clock } from '../../base/clock.ts';
import type { Code } from '../../base/codes.ts';
import type { Emit, Fact } from '../../base/fact.ts';
import type { ApiConfig } from '../../config/config.ts';
import type { HeldValue } from '../../lease/snapshot.ts';

type Line = Extract<Fact, { kind: 'api-audit' }>;
type About = Partial<Pick<Line, 'secret' | 'field' | 'output' | 'version' | 'code'>>;

/** Lines within one window beyond the limits below are counted, and written with their number at its end. */
const WINDOW_MS = 10_000;

/** Lines of one kind for requests in vain: a faulty client must not fill the log. */
const MAX_VAIN = 1;
/** Lines of one kind for actions. */
const MAX_ACTED = 10;
/** Lines for reads over one listener where `audit` is `all`; elsewhere each value is written once anyway. */
const MAX_READS = 1_000;

interface Window {
  readonly untilMs: number;
  /** How many lines were written. */
  lines: number;
  /** Lines that were not written, with their number, by their text. */
  readonly counted: Map<string, { readonly line: Line; count: number }>;
}

/**
 * Writes the audit lines of one listener. A name that a request gives is written only when it is configured. However
 * often clients ask, the number of lines is bounded: beyond the bound, lines that are alike become one with their
 * number.
 */
export class Audit implements Disposable {
  readonly #mode: ApiConfig['audit'];
  readonly #where: string;
  readonly #clock: Clock;
  readonly #emit: Emit;
  /** The number of the value whose read was written last, by secret and field (empty: all fields). */
  readonly #lastRead = new Map<string, Map<string, number>>();
  readonly #windows = new Map<string, Window>();
  #cancelEnd: (() => void) | undefined;
  #isOver = false;

  constructor(
    mode: ApiConfig['audit'],
    where: string,
    { clock, emit }: { readonly clock: Clock; readonly emit: Emit },
  ) {
    this.#mode = mode;
    this.#where = where;
    this.#clock = clock;
    this.#emit = emit;
  }

  /** Records that a value is about to be sent. @param field empty: all fields. */
  read(action: 'read' | 'watch', secret: string, field: string, { value, valueNumber }: HeldValue): void {
    if (this.#mode === 'off') return;
    if (this.#mode === 'changes') {
      let fields = this.#lastRead.get(secret);
      if (fields?.get(field) === valueNumber) return;
      if (fields === undefined) {
        fields = new Map();
        this.#lastRead.set(secret, fields);
      }
      fields.set(field, valueNumber);
    }
    const of = field === '' ? {} : { field };
    const line = this.#lineOf(action, 'done', { secret, ...of, version: value.version });
    if (this.#mode === 'changes') this.#emit(line);
    else this.#write(line, 'read', MAX_READS, this.#lineOf(action, 'done', { secret }));
  }

  /**
   * Records that a value that no secret of the configuration names is about to be sent.
   * @param secret the name at the backend.
   * @param isFirst whether this listener sends the value for the first time.
   */
  readOnDemand(secret: string, version: string, isFirst: boolean): void {
    if (this.#mode === 'off' || (this.#mode === 'changes' && !isFirst)) return;
    const line = this.#lineOf('read-on-demand', 'done', { secret, version });
    this.#write(line, 'read-on-demand', MAX_READS, this.#lineOf('read-on-demand', 'done', {}));
  }

  /** Records a request for something that is not configured, which failed or was refused. */
  failedOnDemand(outcome: 'failed' | 'refused', code: Code): void {
    this.#writeByKind(this.#lineOf('read-on-demand', outcome, { code }), MAX_VAIN);
  }

  /** Records a request for something that does not exist. */
  missed(action: Line['action'], outcome: 'unknown' | 'absent', about: About = {}): void {
    if (this.#mode !== 'off') this.#writeByKind(this.#lineOf(action, outcome, about), MAX_VAIN);
  }

  /** Records that the guard refused a request. */
  refused(code: Code): void {
    this.#writeByKind(this.#lineOf('enter', 'refused', { code }), MAX_VAIN);
  }

  /** Records an action that a client asked for. */
  acted(action: Line['action'], outcome: 'done' | 'failed' | 'refused', about: About = {}): void {
    this.#writeByKind(this.#lineOf(action, outcome, about), MAX_ACTED);
  }

  /** Writes the lines that were counted so far. */
  [Symbol.dispose](): void {
    this.#isOver = true;
    this.#cancelEnd?.();
    for (const window of this.#windows.values()) this.#writeCounted(window);
    this.#windows.clear();
  }

  #writeByKind(line: Line, max: number): void {
    const { action, outcome, secret, output, code } = line;
    const kind = this.#lineOf(action, outcome, { secret, output, code });
    this.#write(line, JSON.stringify(kind), max, kind);
  }

  /**
   * Writes or counts a line.
   * @param window the name of a window that takes `max` lines.
   * @param kind the line that is counted instead when the window is full.
   */
  #write(line: Line, window: string, max: number, kind: Line): void {
    const open = this.#windowOf(window);
    if (open.lines < max) {
      open.lines++;
      this.#emit(line);
      return;
    }
    const key = JSON.stringify(kind);
    const counted = open.counted.get(key) ?? { line: kind, count: 0 };
    counted.count++;
    open.counted.set(key, counted);
    if (!this.#isOver) this.#cancelEnd ??= this.#clock.after(open.untilMs - this.#clock.monoMs(), () => this.#end());
  }

  #windowOf(name: string): Window {
    const now = this.#clock.monoMs();
    let window = this.#windows.get(name);
    if (window === undefined || (window.untilMs <= now && window.counted.size === 0)) {
      window = { untilMs: now + WINDOW_MS, lines: 0, counted: new Map() };
      this.#windows.set(name, window);
    }
    return window;
  }

  /** Writes what was counted in windows that have ended. */
  #end(): void {
    this.#cancelEnd = undefined;
    const now = this.#clock.monoMs();
    let nextMs = Number.POSITIVE_INFINITY;
    for (const [name, window] of this.#windows) {
      if (window.untilMs <= now) {
        this.#windows.delete(name);
        this.#writeCounted(window);
      } else if (window.counted.size > 0) nextMs = Math.min(nextMs, window.untilMs - now);
    }
    if (Number.isFinite(nextMs)) this.#cancelEnd = this.#clock.after(nextMs, () => this.#end());
  }

  #writeCounted({ counted }: Window): void {
    for (const { line, count } of counted.values()) this.#emit({ ...line, count });
  }

  #lineOf(action: Line['action'], outcome: Line['outcome'], about: Loose<About>): Line {
    const known = Object.entries(about).filter(([, value]) => value !== undefined);
    return { kind: 'api-audit', audit: true, where: this.#where, action, outcome, ...Object.fromEntries(known) };
  }
}

type Loose<T> = { readonly [K in keyof T]?: T[K] | undefined };
