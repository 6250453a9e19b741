import type { SdsConfig, SdsListenConfig } from '../../config/config.ts';
import type { Listener, ListenOptions, Service } from '../service.ts';
import { PROTOCOL, SdsListener, type SdsListenerDeps } from './listener.ts';

export interface SdsServiceOptions extends Pick<SdsListenerDeps, 'clock' | 'emit' | 'hub'> {
  readonly sds: SdsConfig;
  readonly listen: SdsListenConfig;
}

/** Envoy's secret discovery service on one listener. What it serves is in the hub, which outlives it. */
export async function createSdsService({ sds, listen, ...deps }: SdsServiceOptions): Promise<Service> {
  const { grpc } = await import('./load-grpc.ts');
  let use: Disposable | undefined;
  const service: Service = {
    protocol: PROTOCOL,
    async start() {
      use = deps.hub.serve(sds);
    },
    listen: (options: ListenOptions) =>
      SdsListener.open(options, { listen, maxStreams: sds.maxStreams, service }, { grpc, ...deps }),
    takeListener(listener: Listener) {
      if (!(listener instanceof SdsListener)) throw new TypeError('a listener of another protocol');
      listener.use({ listen, maxStreams: sds.maxStreams, service });
    },
    async [Symbol.asyncDispose]() {
      use?.[Symbol.dispose]();
      use = undefined;
    },
  };
  return service;
}
