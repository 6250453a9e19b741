import type { Listener, ListenOptions, Service } from '../service.ts';
import type { HttpService } from './http-service.ts';
import { HTTP, HttpListener, type Limits } from './listener.ts';

/** An HTTP service with the listener that serves it. `limits` are those that differ from the listener's own. */
export function overHttp(service: HttpService, limits: Partial<Limits> = {}): Service {
  return {
    protocol: HTTP,
    start: () => service.start?.() ?? Promise.resolve(),
    listen: (options: ListenOptions) => HttpListener.open(options, service, limits),
    takeListener(listener: Listener) {
      if (!(listener instanceof HttpListener)) throw new TypeError('a listener of another protocol');
      listener.use(service, limits);
    },
    [Symbol.asyncDispose]: () => service[Symbol.asyncDispose](),
  };
}
