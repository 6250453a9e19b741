import type { BackendContext } from '../../../src/backend/kind.ts';
import type { Code } from '../../../src/base/codes.ts';
import { asFailure, fail } from '../../../src/base/errors.ts';
import type { WireAnswer } from '../../../src/http/exchange.ts';
import { retryAfterMs } from '../../../src/http/retry-after.ts';
import { Transport } from '../../../src/http/transport.ts';
import type { ShelfConfig } from './config.ts';

/** The part of the context that a shelf uses. */
export type ShelfContext = Pick<BackendContext, 'clock' | 'emit' | 'env'>;

/** The codes of statuses; other 5xx are BACKEND_UNAVAILABLE, and the rest are BACKEND_MALFORMED. */
const CODE_OF: Readonly<Record<number, Code>> = {
  401: 'AUTH_DENIED',
  403: 'SECRET_DENIED',
  404: 'SECRET_NOT_FOUND',
  410: 'SECRET_DELETED',
  429: 'BACKEND_THROTTLED',
};

/** Speaks to one shelf: `HEAD /NAME` gives the version, `GET /NAME` the version and the value. */
export class ShelfClient implements AsyncDisposable {
  readonly #config: ShelfConfig;
  readonly #context: ShelfContext;
  readonly #transport: Transport;

  constructor(config: ShelfConfig, context: ShelfContext) {
    const { address, timeoutMs, name } = config;
    this.#config = config;
    this.#context = context;
    const tls = { skipVerify: false };
    this.#transport = new Transport({ ...context, address, tls, timeoutMs, place: `backends.${name}` });
  }

  /** @throws PannierError with the code of the status, or of the transport. */
  async ask(method: 'HEAD' | 'GET', name: string, place: string, signal: AbortSignal): Promise<WireAnswer> {
    const { clock, emit } = this.#context;
    const about = { backend: this.#config.name, call: `${method} ${name}` };
    const startedMs = clock.monoMs();
    const answer = await this.#transport
      .run({ place }, signal, (send) =>
        send({ method, path: `/${encodeURIComponent(name)}`, headers: this.#headers() }),
      )
      .catch((error: unknown) => {
        const failure = asFailure(error, place);
        if (failure.code !== 'CANCELLED')
          emit({ kind: 'backend-failed', ...about, failure, durationMs: clock.monoMs() - startedMs });
        throw error;
      });
    const { status, headers } = answer;
    emit({ kind: 'backend-answered', ...about, status, durationMs: clock.monoMs() - startedMs });
    if (status === 200) return answer;
    const code = CODE_OF[status] ?? (status >= 500 ? 'BACKEND_UNAVAILABLE' : 'BACKEND_MALFORMED');
    throw fail(code, place, `HTTP ${status} from ${this.#transport.address}`, {
      retryAfterMs: retryAfterMs(headers['retry-after'], clock.wallMs()),
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#transport[Symbol.asyncDispose]();
  }

  #headers(): Record<string, string> {
    return { authorization: `Bearer ${this.#config.token.exposeText('backend')}` };
  }
}
