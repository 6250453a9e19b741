import type { Clock } from '../../base/clock.ts';
import type { Code } from '../../base/codes.ts';
import type { Emit, Fact } from '../../base/fact.ts';
import type { ApiConfig } from '../../config/config.ts';
import type { HeldValue } from '../../lease/snapshot.ts';

type Line = Extract<Fact, { kind: 'api-audit' }>;
type About = Partial<Pick<Line, 'secret' | 'field' | 'output' | 'version' | 'code'>>;

/** In so long as many lines are told as below; the others are counted, and told with their number at its end. */
const WINDOW_MS = 10_000;

/** What was in vain: a client gone astray must not fill the log. */
const MAX_VAIN = 1;
/** Actions of one kind. */
const MAX_ACTED = 10;
/** Reads of one listener where `audit` is `all`; elsewhere a value is told once, so that the values are the bound. */
const MAX_READS = 1_000;

interface Window {
  readonly untilMs: number;
  lines: number;
  /** What is counted, by its text. */
  readonly left: Map<string, { readonly line: Line; count: number }>;
}

/**
 * The audit lines of one listener. What a request names is told only when it is configured. However often clients ask,
 * the lines are bounded: beyond that those that are alike are one line with their number.
 */
export class Audit implements Disposable {
  readonly #mode: ApiConfig['audit'];
  readonly #where: string;
  readonly #clock: Clock;
  readonly #emit: Emit;
  /** By secret and field (empty: all): the number of the value that was told last. */
  readonly #told = new Map<string, Map<string, number>>();
  readonly #windows = new Map<string, Window>();
  #callOffEnd: (() => void) | undefined;
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

  /** A value is about to leave. @param field empty: all of them. */
  read(action: 'read' | 'watch', secret: string, field: string, { value, valueNumber }: HeldValue): void {
    if (this.#mode === 'off') return;
    if (this.#mode === 'changes') {
      let fields = this.#told.get(secret);
      if (fields?.get(field) === valueNumber) return;
      if (fields === undefined) {
        fields = new Map();
        this.#told.set(secret, fields);
      }
      fields.set(field, valueNumber);
    }
    const of = field === '' ? {} : { field };
    const line = this.#lineOf(action, 'done', { secret, ...of, version: value.version });
    if (this.#mode === 'changes') this.#emit(line);
    else this.#tell(line, 'read', MAX_READS, this.#lineOf(action, 'done', { secret }));
  }

  /** Somebody wanted what is not there. */
  missed(action: Line['action'], outcome: 'unknown' | 'absent', about: About = {}): void {
    if (this.#mode !== 'off') this.#tellOften(this.#lineOf(action, outcome, about), MAX_VAIN);
  }

  /** A request was not even looked at. */
  refused(code: Code): void {
    this.#tellOften(this.#lineOf('enter', 'refused', { code }), MAX_VAIN);
  }

  /** The agent did something because somebody asked for it. */
  acted(action: Line['action'], outcome: 'done' | 'failed' | 'refused', about: About = {}): void {
    this.#tellOften(this.#lineOf(action, outcome, about), MAX_ACTED);
  }

  /** Tells what was counted so far. */
  [Symbol.dispose](): void {
    this.#isOver = true;
    this.#callOffEnd?.();
    for (const window of this.#windows.values()) this.#tellLeft(window);
    this.#windows.clear();
  }

  #tellOften(line: Line, max: number): void {
    const { action, outcome, secret, output, code } = line;
    const alike = this.#lineOf(action, outcome, { secret, output, code });
    this.#tell(line, JSON.stringify(alike), max, alike);
  }

  /**
   * @param window the name of a window that takes `max` lines.
   * @param alike what the line is counted as when it is one too many.
   */
  #tell(line: Line, window: string, max: number, alike: Line): void {
    const open = this.#windowOf(window);
    if (open.lines < max) {
      open.lines++;
      this.#emit(line);
      return;
    }
    const key = JSON.stringify(alike);
    const counted = open.left.get(key) ?? { line: alike, count: 0 };
    counted.count++;
    open.left.set(key, counted);
    if (!this.#isOver) this.#callOffEnd ??= this.#clock.after(open.untilMs - this.#clock.monoMs(), () => this.#end());
  }

  #windowOf(name: string): Window {
    const now = this.#clock.monoMs();
    let window = this.#windows.get(name);
    if (window === undefined || (window.untilMs <= now && window.left.size === 0)) {
      window = { untilMs: now + WINDOW_MS, lines: 0, left: new Map() };
      this.#windows.set(name, window);
    }
    return window;
  }

  /** Tells what was counted in windows whose time is over. */
  #end(): void {
    this.#callOffEnd = undefined;
    const now = this.#clock.monoMs();
    let nextMs = Number.POSITIVE_INFINITY;
    for (const [name, window] of this.#windows) {
      if (window.untilMs <= now) {
        this.#windows.delete(name);
        this.#tellLeft(window);
      } else if (window.left.size > 0) nextMs = Math.min(nextMs, window.untilMs - now);
    }
    if (Number.isFinite(nextMs)) this.#callOffEnd = this.#clock.after(nextMs, () => this.#end());
  }

  #tellLeft({ left }: Window): void {
    for (const { line, count } of left.values()) this.#emit({ ...line, count });
  }

  #lineOf(action: Line['action'], outcome: Line['outcome'], about: Loose<About>): Line {
    const known = Object.entries(about).filter(([, value]) => value !== undefined);
    return { kind: 'api-audit', audit: true, where: this.#where, action, outcome, ...Object.fromEntries(known) };
  }
}

type Loose<T> = { readonly [K in keyof T]?: T[K] | undefined };
