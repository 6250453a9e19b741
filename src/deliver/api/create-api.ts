import type { IncomingMessage, ServerResponse } from 'node:http';
import { Guard, type RefusedRequest } from '../http/guard.ts';
import type { HttpService } from '../http/http-service.ts';
import { nameOfListen } from '../http/listening.ts';
import { sendReply } from '../http/reply.ts';
import { type Route, Routes } from '../http/routes.ts';
import { TokenFile } from '../http/token-file.ts';
import { warnIfWeak } from '../http/warn-if-weak.ts';
import { type ActionRouteDeps, actionRoutes } from './actions.ts';
import { AnswerCache } from './answers.ts';
import type { ApiAgent, ApiOptions } from './api-agent.ts';
import { Audit } from './audit.ts';
import { type AwsRouteDeps, awsRoutes } from './aws.ts';
import { RefreshQueue } from './refreshing.ts';
import { type ReadRouteDeps, readRoutes } from './secret-reads.ts';
import { VisibleSecrets } from './visible.ts';
import { LongPolls } from './waiting.ts';
import { Watchers, watchRoutes } from './watch.ts';

/** Makes the local API of one listener, as docs/api.md describes it. */
export function createApi(options: ApiOptions, agent: ApiAgent): HttpService {
  return new Api(options, agent);
}

/** Every row of the API; `openapi.ts` describes each. */
export function apiRoutes(deps: ApiRouteDeps): readonly Route[] {
  return [...readRoutes(deps), ...watchRoutes(deps, deps.watchers), ...actionRoutes(deps), ...awsRoutes(deps)];
}

type ApiRouteDeps = ReadRouteDeps & ActionRouteDeps & AwsRouteDeps & { readonly watchers: Watchers };

class Api implements HttpService {
  readonly #routes: Routes;
  readonly #guard: Guard;
  readonly #audit: Audit;
  readonly #waiting: LongPolls;
  readonly #watchers: Watchers;
  readonly #listening: Disposable;
  readonly #stop = new AbortController();

  constructor(options: ApiOptions, agent: ApiAgent) {
    const { listener } = options;
    const { where, tokenFile, place } = listener;
    const visible = new VisibleSecrets(options.secrets, listener.secrets, agent.computedPlaces);
    const answers = new AnswerCache();
    this.#audit = new Audit(options.audit, nameOfListen(where), agent);
    this.#waiting = new LongPolls(agent.clock);
    const refreshing = new RefreshQueue(agent);
    const deps = { agent, visible, answers, audit: this.#audit, waiting: this.#waiting, refreshing };
    this.#watchers = new Watchers(deps);
    const rows = apiRoutes({ ...deps, watchers: this.#watchers, listener, stop: this.#stop.signal });
    this.#routes = new Routes([...rows, ...(options.rows ?? [])], agent.tracing);
    const token = tokenFile === undefined ? undefined : new TokenFile(tokenFile, `${place}.tokenFile`, agent.clock);
    this.#guard = new Guard({ isTcp: where.kind === 'tcp', token });
    void warnIfWeak(token, agent.emit);
    this.#listening = agent.secrets.onEvent((names) => {
      this.#waiting.wake(names);
      this.#watchers.changed(names);
    });
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    const refused = this.#guard.refuse(request, () => this.isVital(request));
    if (refused instanceof Promise) void refused.then((verdict) => this.#answer(request, response, verdict));
    else this.#answer(request, response, refused);
  }

  #answer(request: IncomingMessage, response: ServerResponse, refused: RefusedRequest | undefined): void {
    if (refused === undefined) this.#routes.handle(request, response);
    else {
      this.#audit.refused(refused.code);
      sendReply(response, refused.reply);
    }
  }

  isVital(request: IncomingMessage): boolean {
    return this.#routes.isVital(request);
  }

  takeOver(before: HttpService): void {
    if (before instanceof Api) this.#watchers.takeOver(before.#watchers);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listening[Symbol.dispose]();
    this.#stop.abort();
    this.#waiting.endAll();
    this.#watchers.endAll();
    this.#audit[Symbol.dispose]();
  }
}
