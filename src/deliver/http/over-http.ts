import type { Listener, ListenOptions, Service } from '../service.ts';
import type { HttpService } from './http-service.ts';
import { HTTP, HttpListener, type Limits } from './listener.ts';

/** Makes a Service of an HTTP service. @param limits those that differ from the defaults of HttpListener. */
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
