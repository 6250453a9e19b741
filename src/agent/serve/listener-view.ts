import type { Listener } from '../../deliver/service.ts';

/** An open listener, as metrics see it. */
export interface ListenerView {
  readonly service: string;
  /** `unix:///path` or `host:port`. */
  readonly where: string;
  readonly listener: Pick<Listener, 'connections' | 'answered'>;
}
