import type { Clock } from '../../base/clock.ts';
import type { Code } from '../../base/codes.ts';
import type { Emit, Fact } from '../../base/fact.ts';
import type { ApiConfig } from '../../config/config.ts';
import type { Held } from '../../lease/snapshot.ts';

type Line = Extract<Fact, { kind: 'api-audit' }>;
type About = Partial<Pick<Line, 'secret' | 'field' | 'output' | 'version' | 'code'>>;

/** What was in vain is told once in so long, with its number: a client gone astray must not fill the log. */
const SAME_MS = 10_000;

/** The audit lines of one listener. What a request names is told only when it is configured. */
export class Audit {
  readonly #mode: ApiConfig['audit'];
  readonly #where: string;
  readonly #clock: Clock;
  readonly #emit: Emit;
  /** By secret and field (empty: all): the number of the value that was told last. */
  readonly #told = new Map<string, Map<string, number>>();
  readonly #vain = new Map<string, { untilMs: number; count: number }>();

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
  read(action: 'read' | 'watch', secret: string, field: string, { value, valueNumber }: Held): void {
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
    this.#tell(action, 'done', { secret, ...of, version: value.version });
  }

  /** Somebody wanted what is not there. */
  missed(action: Line['action'], outcome: 'unknown' | 'absent', about: About = {}): void {
    if (this.#mode !== 'off') this.#tellVain(action, outcome, about);
  }

  /** A request was not even looked at. */
  refused(code: Code): void {
    this.#tellVain('enter', 'refused', { code });
  }

  /** The agent did something because somebody asked for it. */
  acted(action: Line['action'], outcome: 'done' | 'failed' | 'refused', about: About = {}): void {
    this.#tell(action, outcome, about);
  }

  #tellVain(action: Line['action'], outcome: Line['outcome'], about: About): void {
    const key = `${action} ${outcome} ${about.secret} ${about.code}`;
    const now = this.#clock.monoMs();
    const last = this.#vain.get(key);
    if (last !== undefined && now < last.untilMs) {
      last.count++;
      return;
    }
    this.#vain.set(key, { untilMs: now + SAME_MS, count: 0 });
    const count = last === undefined || last.count === 0 ? {} : { count: last.count + 1 };
    this.#tell(action, outcome, { ...about, ...count });
  }

  #tell(action: Line['action'], outcome: Line['outcome'], about: About): void {
    this.#emit({ kind: 'api-audit', audit: true, where: this.#where, action, outcome, ...about });
  }
}
