import { backoffMs } from '../base/backoff.ts';
import type { Clock } from '../base/clock.ts';
import { deadline } from '../base/deadline.ts';
import { asFailure, type Failure, failure } from '../base/errors.ts';
import type { Emit } from '../base/fact.ts';
import type { Environment } from '../config/environment.ts';
import type { WireAnswer } from '../http/exchange.ts';
import { retryAfterMs } from '../http/retry-after.ts';
import { Transport } from '../http/transport.ts';
import { encodeSpans } from './otlp.ts';
import type { TraceSettings } from './settings.ts';
import type { Span } from './span.ts';

export interface SenderDeps {
  readonly settings: TraceSettings;
  readonly clock: Clock;
  readonly random: () => number;
  /** For proxy variables. */
  readonly env: Environment;
  /** Pannier's version. */
  readonly version: string;
  readonly emit: Emit;
}

/** Spans that wait; more are dropped. */
export const MAX_WAITING = 2_048;
/** Spans of one request. */
const MAX_BATCH = 512;
/** Spans are sent this long after the first of them ended, or when there are enough for a request. */
const GATHER_MS = 5_000;
/** A batch is dropped when it could not be sent within this time. */
const GIVE_UP_MS = 60_000;
/** The longest that the end waits for spans that are left. */
export const CLOSE_MS = 1_000;

const TRY_AGAIN = new Set([429, 502, 503, 504]);
const PLACE = 'traces';

/**
 * Sends spans by OTLP/HTTP, one request at a time. What a receiver refuses for now, or what finds none, is sent again
 * with backoff. Nothing here holds the agent up: what is too much is dropped, and told with its number.
 */
export class Sender {
  readonly #deps: SenderDeps;
  readonly #transport: Transport;
  readonly #giveUp = new AbortController();
  #waiting: Span[] = [];
  /** Spans that found no room since the last request. */
  #overflowed = 0;
  #cancelTimer: (() => void) | undefined;
  #sending: Promise<void> | undefined;
  #isClosing = false;
  #hasFailed = false;

  /** @throws PannierError as `openEndpoint` does. */
  constructor(deps: SenderDeps) {
    this.#deps = deps;
    const { settings, clock, env } = deps;
    const { origin, tls, timeoutMs } = settings;
    this.#transport = new Transport({ address: origin, tls, timeoutMs, clock, env, place: PLACE, noRedirect: true });
  }

  add(spans: readonly Span[]): void {
    const room = Math.max(0, MAX_WAITING - this.#waiting.length);
    this.#waiting.push(...spans.slice(0, room));
    this.#overflowed += Math.max(0, spans.length - room);
    if (this.#sending !== undefined || this.#waiting.length === 0) return;
    if (this.#isClosing || this.#waiting.length >= MAX_BATCH) this.#begin();
    else this.#cancelTimer ??= this.#deps.clock.after(GATHER_MS, () => this.#begin());
  }

  /** Sends what is left, and drops what cannot be sent in time. Never rejects. */
  async close(): Promise<void> {
    this.#isClosing = true;
    const cancel = deadline(this.#deps.clock, CLOSE_MS, () => this.#giveUp.abort());
    if (this.#waiting.length > 0) this.#begin();
    await this.#sending;
    cancel();
    await this.#transport[Symbol.asyncDispose]();
  }

  #begin(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = undefined;
    });
  }

  async #sendAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, MAX_BATCH);
      if (this.#overflowed > 0) this.#dropped(this.#overflowed, fullQueue());
      this.#overflowed = 0;
      await this.#send(batch);
    }
  }

  async #send(spans: readonly Span[]): Promise<void> {
    const { settings, clock, random, emit, version } = this.#deps;
    const body = Buffer.from(encodeSpans(spans, settings.resource, version));
    const giveUpAtMs = clock.monoMs() + GIVE_UP_MS;
    let last = ended();
    for (let failures = 1; ; failures++) {
      const outcome = this.#giveUp.signal.aborted ? last : await this.#post(body);
      if (outcome.kind === 'sent') {
        const rejected = Math.min(spans.length, outcome.rejected);
        if (rejected > 0) this.#dropped(rejected, failure('TRACES_NOT_SENT', PLACE, 'the receiver refused spans'));
        else this.#hasFailed = false;
        return emit({ kind: 'traces-sent', spans: spans.length - rejected });
      }
      if (!this.#giveUp.signal.aborted) last = outcome;
      const waitMs = backoffMs(failures, random, outcome.retryAfterMs);
      const isOver = this.#giveUp.signal.aborted || clock.monoMs() + waitMs > giveUpAtMs;
      if (isOver || !outcome.again) return this.#dropped(spans.length, last.why);
      await clock.sleep(waitMs, this.#giveUp.signal);
    }
  }

  async #post(body: Uint8Array): Promise<Outcome> {
    const { settings, clock, version } = this.#deps;
    const headers = {
      ...settings.headers,
      'Content-Type': 'application/json',
      'User-Agent': `pannier/${version}`,
    };
    const request = { method: 'POST', path: settings.path, headers, body };
    try {
      const answer = await this.#transport.run({ place: PLACE }, this.#giveUp.signal, (send) => send(request));
      if (answer.status >= 200 && answer.status <= 299) return { kind: 'sent', rejected: rejectedOf(answer) };
      const seen = `${this.#transport.address} answered with HTTP ${answer.status}`;
      const waitMs = retryAfterMs(answer.headers['retry-after'], clock.wallMs());
      const why = failure('TRACES_NOT_SENT', PLACE, seen);
      return { kind: 'failed', again: TRY_AGAIN.has(answer.status), why, retryAfterMs: waitMs };
    } catch (error) {
      const failed = asFailure(error, PLACE);
      const again = failed.retry === 'backoff';
      return { kind: 'failed', again, why: failure('TRACES_NOT_SENT', PLACE, failed.seen), retryAfterMs: undefined };
    }
  }

  #dropped(spans: number, why: Failure): void {
    this.#deps.emit({ kind: 'traces-dropped', spans, failure: why, again: this.#hasFailed });
    this.#hasFailed = true;
  }
}

type Outcome = { readonly kind: 'sent'; readonly rejected: number } | NotSent;

interface NotSent {
  readonly kind: 'failed';
  readonly again: boolean;
  readonly why: Failure;
  readonly retryAfterMs: number | undefined;
}

function ended(): NotSent {
  const why = failure('TRACES_NOT_SENT', PLACE, 'the agent ended before they were sent');
  return { kind: 'failed', again: false, why, retryAfterMs: undefined };
}

const fullQueue = (): Failure => failure('TRACES_NOT_SENT', PLACE, `more than ${MAX_WAITING} spans wait`);

/** How many spans a receiver has refused of a request that it took: `partialSuccess` of its answer. */
function rejectedOf({ body }: WireAnswer): number {
  try {
    const answer = JSON.parse(Buffer.from(body).toString()) as { partialSuccess?: { rejectedSpans?: unknown } } | null;
    const rejected = Number(answer?.partialSuccess?.rejectedSpans ?? 0);
    return Number.isSafeInteger(rejected) && rejected > 0 ? rejected : 0;
  } catch {
    return 0; // an empty answer, or one of Protocol Buffers
  }
}
