import type { Clock } from '../../base/clock.ts';
import type { Emit } from '../../base/fact.ts';
import type { Config } from '../../config/config.ts';
import type { StatusLine } from '../../log/terminal/status-line.ts';
import { watchRequests } from './requests.ts';
import { PATIENCE_MS, Waits } from './waits.ts';

/** Often enough for a line that counts seconds. */
const TICK_MS = 250;

/**
 * Tells on a terminal what a command waits for, once that has taken a second: one line, replaced in place, and gone
 * when the command goes on or ends.
 */
export class Progress implements Disposable {
  readonly #clock: Clock;
  readonly #line: StatusLine;
  readonly #waits = new Waits();
  readonly #unwatch: () => void;
  #cancel: () => void;

  constructor(clock: Clock, line: StatusLine) {
    this.#clock = clock;
    this.#line = line;
    this.#waits.begin('reading the configuration', clock.monoMs());
    this.#unwatch = watchRequests({
      asked: (request, asked) => this.#waits.ask(request, asked, clock.monoMs()),
      reached: (request, phase) => this.#waits.reach(request, phase),
      ended: (request) => this.#waits.end(request),
    });
    this.#cancel = clock.after(PATIENCE_MS, () => this.#tick());
  }

  /** The configuration is read. */
  know(config: Config): void {
    this.#waits.know(config);
    this.#waits.begin('at work', this.#clock.monoMs());
  }

  /** Facts go to `emit`, and are looked at on their way. */
  hearing(emit: Emit): Emit {
    return (fact) => {
      this.#waits.hear(fact, this.#clock.monoMs());
      emit(fact);
    };
  }

  /** Takes the line away, for good. Calls after the first one do nothing. */
  end(): void {
    this.#cancel();
    this.#unwatch();
    this.#line.show('');
  }

  [Symbol.dispose](): void {
    this.end();
  }

  #tick(): void {
    this.#line.show(this.#waits.text(this.#clock.monoMs()));
    this.#cancel = this.#clock.after(TICK_MS, () => this.#tick());
  }
}
