import { type Clock, systemClock } from '../base/clock.ts';
import { formatDuration } from '../base/duration.ts';
import { type Failure, failure } from '../base/errors.ts';
import { isFieldValue } from '../base/header-text.ts';
import type { HttpReloadConfig } from '../config/config.ts';
import { describeWire } from '../http/wire-error.ts';
import type { RenderedRequest } from '../render/request.ts';
import { type OneAnswer, sendOnce } from './http-request.ts';
import { PathLook } from './path-look.ts';
import type { ReloadAction } from './reload.ts';

/**
 * Sends the application one request; the status of the answer says whether the application took the generation up.
 * Headers and body are made for each request anew, from the secrets as they are then. After a failure, a change of the
 * socket's file is a reason to try again at once.
 *
 * Failures: RELOAD_HTTP_STATUS, RELOAD_HTTP_UNREACHABLE, RELOAD_HTTP_TIMEOUT, RELOAD_HTTP_TLS, RELOAD_HTTP_HEADER,
 * CANCELLED, and those of rendering. They name the origin or socket and the answer's status; never the path, the query,
 * a header's value or the answer's body.
 */
export function createHttpReload(
  config: HttpReloadConfig,
  render: () => RenderedRequest,
  clock: Clock = systemClock,
): ReloadAction {
  const { place, timeoutMs, method, socket, caFile } = config;
  const url = new URL(config.url);
  const look = socket === undefined ? undefined : new PathLook(socket, clock);
  return {
    kind: 'http',
    place,
    timeoutMs,
    ...(look === undefined ? {} : { untilChanged: (signal) => look.untilChanged(signal) }),
    async run(_generation, signal) {
      await look?.remember();
      const values = render();
      if (values.kind === 'failed') return values.why;
      const headers = new Map<string, string>();
      for (const [name, value] of values.headers) {
        const text = value.type === 'bytes' ? undefined : value.exposeText('reload');
        if (text === undefined || !isFieldValue(text)) return badHeader(name, place);
        headers.set(name, text);
      }
      const timer = new AbortController();
      const timeout = new AbortController();
      void clock.sleep(timeoutMs, timer.signal).then(() => timeout.abort());
      const request = {
        method,
        url,
        headers,
        ...(socket === undefined ? {} : { socket }),
        ...(caFile === undefined ? {} : { caFile }),
        ...(values.body === undefined ? {} : { body: values.body.exposeBytes('reload') }),
      };
      const answer = await sendOnce(request, AbortSignal.any([signal, timeout.signal]));
      timer.abort();
      return failureOf(answer, config, signal.aborted);
    },
  };
}

function badHeader(name: string, place: string): Failure {
  const seen = `the value of ${name} has a line break, white space at an end, or a character that no header may have`;
  return failure('RELOAD_HTTP_HEADER', `${place}.http.headers.${name}`, seen);
}

/** Undefined when the status is one of those expected. */
function failureOf(answer: OneAnswer, config: HttpReloadConfig, isStopping: boolean): Failure | undefined {
  const { place, expect, timeoutMs, caFile } = config;
  const where = config.socket ?? new URL(config.url).origin;
  switch (answer.kind) {
    case 'answered': {
      const { status } = answer;
      if (expect === undefined ? status >= 200 && status < 300 : expect.includes(status)) return undefined;
      const redirect = status >= 300 && status < 400 ? { hint: 'Redirects are not followed: correct url.' } : {};
      return failure('RELOAD_HTTP_STATUS', place, `HTTP ${status} from ${where}`, redirect);
    }
    case 'no-ca':
      return failure('RELOAD_HTTP_TLS', place, `caFile ${caFile} ${answer.why}`);
    case 'aborted':
      if (isStopping) return failure('CANCELLED', place, `the request to ${where} was ended because the agent stops`);
      return failure('RELOAD_HTTP_TIMEOUT', place, `no answer from ${where} within ${formatDuration(timeoutMs)}`);
    case 'broken': {
      const { tls, seen } = describeWire(answer.code);
      return failure(tls ? 'RELOAD_HTTP_TLS' : 'RELOAD_HTTP_UNREACHABLE', place, `${seen} at ${where}`);
    }
  }
}
