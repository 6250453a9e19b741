import { backoffMs } from '../base/backoff.ts';
import type { Clock } from '../base/clock.ts';
import { deadline } from '../base/deadline.ts';
import { asFailure, type Failure, failure } from '../base/errors.ts';
import type { Environment } from '../config/environment.ts';
import type { WireAnswer } from '../http/exchange.ts';
import { retryAfterMs } from '../http/retry-after.ts';
import { Transport } from '../http/transport.ts';
import { seenOf } from './check-files.ts';
import type { OtlpSettings } from './settings.ts';

export interface ExporterDeps<Item> {
  readonly settings: OtlpSettings;
  readonly export: Export<Item>;
  readonly clock: Clock;
  readonly random: () => number;
  /** For proxy variables. */
  readonly env: Environment;
  /** Pannier's version. */
  readonly version: string;
}

/** What is sent: spans, or log records. */
export interface Export<Item> {
  /** Configuration path, for messages. */
  readonly place: string;
  /** The code of what was not sent. */
  readonly code: 'TRACES_NOT_SENT' | 'LOGS_NOT_SENT';
  /** What the items are called, in the plural. */
  readonly noun: string;
  /** The member of an answer's `partialSuccess` that says how many were refused. */
  readonly rejected: 'rejectedSpans' | 'rejectedLogRecords';
  /** The body of one request. */
  encode(items: readonly Item[]): string;
  /** So many were taken. */
  onSent(count: number): void;
  /** So many were dropped. @param again nothing was sent since others were dropped. */
  onDropped(count: number, why: Failure, again: boolean): void;
}

/** Items that wait; more are dropped. */
export const MAX_WAITING = 2_048;
/** Items of one request. */
const MAX_BATCH = 512;
/** Items are sent this long after the first of them came, or when there are enough for a request. */
const GATHER_MS = 5_000;
/** A batch is dropped when it could not be sent within this time. */
const GIVE_UP_MS = 60_000;
/** The longest that the end waits for items that are left. */
export const CLOSE_MS = 1_000;

const TRY_AGAIN = new Set([429, 502, 503, 504]);
const ENDED = 'the agent ended before they were sent';
const PATH_HINT =
  'Check the path: /v1/traces or /v1/logs is put behind each address but that of a variable for one signal.';
const CERTIFICATE_HINT = 'Check the files that OTEL_EXPORTER_OTLP_CERTIFICATE and its kind name, and the receiver.';
const HEADERS_HINT = 'Check the credential in OTEL_EXPORTER_OTLP_HEADERS, or in the variable of the signal.';
/** The request is larger than the receiver takes: the halves of it may not be. */
const TOO_LARGE = 413;

/**
 * Sends spans or log records by OTLP/HTTP, one request at a time. What a receiver refuses for now, or what finds none,
 * is sent again with backoff. Nothing here holds the agent up: what is too much is dropped, and told with its number.
 */
export class Exporter<Item> {
  readonly #deps: ExporterDeps<Item>;
  readonly #transport: Transport;
  readonly #giveUp = new AbortController();
  #waiting: Item[] = [];
  /** Items that found no room since the last request. */
  #overflowed = 0;
  #cancelTimer: (() => void) | undefined;
  #sending: Promise<void> | undefined;
  #isClosing = false;
  #isClosed = false;
  #hasFailed = false;

  /** @throws PannierError as `openEndpoint` does. */
  constructor(deps: ExporterDeps<Item>) {
    this.#deps = deps;
    const { settings, clock, env } = deps;
    const { origin, tls, timeoutMs } = settings;
    const { place } = deps.export;
    this.#transport = new Transport({ address: origin, tls, timeoutMs, clock, env, place, noRedirect: true });
  }

  add(items: readonly Item[]): void {
    if (this.#isClosed) return void this.#dropped(items.length, this.#failure(ENDED));
    const room = Math.max(0, MAX_WAITING - this.#waiting.length);
    this.#waiting.push(...items.slice(0, room));
    this.#overflowed += Math.max(0, items.length - room);
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
    this.#isClosed = true;
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
      if (this.#overflowed > 0) {
        this.#dropped(this.#overflowed, this.#failure(`more than ${MAX_WAITING} ${this.#deps.export.noun} wait`));
      }
      this.#overflowed = 0;
      await this.#send(batch);
    }
  }

  async #send(items: readonly Item[]): Promise<void> {
    const { clock, random, export: own } = this.#deps;
    const body = Buffer.from(own.encode(items));
    const giveUpAtMs = clock.monoMs() + GIVE_UP_MS;
    let last: NotSent = { kind: 'failed', again: false, why: this.#failure(ENDED) };
    for (let failures = 1; ; failures++) {
      const outcome = this.#giveUp.signal.aborted ? last : await this.#post(body);
      if (outcome.kind === 'sent') {
        const rejected = Math.min(items.length, outcome.rejected);
        if (rejected > 0) this.#dropped(rejected, this.#failure(`the receiver refused ${own.noun}`));
        else this.#hasFailed = false;
        return own.onSent(items.length - rejected);
      }
      if (!this.#giveUp.signal.aborted) last = outcome;
      if (outcome.isTooLarge === true && items.length > 1) {
        const half = Math.ceil(items.length / 2);
        await this.#send(items.slice(0, half));
        return await this.#send(items.slice(half));
      }
      const waitMs = backoffMs(failures, random, outcome.retryAfterMs);
      const isOver = this.#giveUp.signal.aborted || clock.monoMs() + waitMs > giveUpAtMs;
      if (isOver || !outcome.again) return this.#dropped(items.length, last.why);
      await clock.sleep(waitMs, this.#giveUp.signal);
    }
  }

  async #post(body: Uint8Array): Promise<Outcome> {
    const { settings, clock, version, export: own } = this.#deps;
    const headers = {
      ...settings.headers,
      'Content-Type': 'application/json',
      'User-Agent': `pannier/${version}`,
    };
    const request = { method: 'POST', path: settings.path, headers, body };
    try {
      const answer = await this.#transport.run({ place: own.place }, this.#giveUp.signal, (send) => send(request));
      const { status } = answer;
      if (status >= 200 && status <= 299) return { kind: 'sent', rejected: rejectedOf(answer, own.rejected) };
      const waitMs = retryAfterMs(answer.headers['retry-after'], clock.wallMs());
      const hint = status === 404 ? PATH_HINT : status === 401 || status === 403 ? HEADERS_HINT : undefined;
      const why = this.#failure(`${this.#transport.address} answered with HTTP ${status}`, hint);
      const again = TRY_AGAIN.has(status);
      return { kind: 'failed', again, why, retryAfterMs: waitMs, isTooLarge: status === TOO_LARGE };
    } catch (error) {
      const failed = asFailure(error, own.place);
      return {
        kind: 'failed',
        again: failed.retry === 'backoff',
        why: this.#failure(seenOf(failed, settings), failed.code === 'BACKEND_TLS' ? CERTIFICATE_HINT : undefined),
      };
    }
  }

  #dropped(count: number, why: Failure): void {
    this.#deps.export.onDropped(count, why, this.#hasFailed);
    this.#hasFailed = true;
  }

  #failure(seen: string, hint?: string): Failure {
    const { code, place } = this.#deps.export;
    return failure(code, place, seen, hint === undefined ? {} : { hint });
  }
}

type Outcome = { readonly kind: 'sent'; readonly rejected: number } | NotSent;

interface NotSent {
  readonly kind: 'failed';
  readonly again: boolean;
  readonly why: Failure;
  readonly retryAfterMs?: number | undefined;
  readonly isTooLarge?: boolean;
}

/** How many items a receiver has refused of a request that it took: `partialSuccess` of its answer. */
function rejectedOf({ body }: WireAnswer, member: string): number {
  try {
    const answer = JSON.parse(Buffer.from(body).toString()) as { partialSuccess?: Record<string, unknown> } | null;
    const rejected = Number(answer?.partialSuccess?.[member] ?? 0);
    return Number.isSafeInteger(rejected) && rejected > 0 ? rejected : 0;
  } catch {
    return 0; // an empty answer, or one of Protocol Buffers
  }
}
