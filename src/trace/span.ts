import type { Attributes } from '../otlp/encode.ts';
import type { RemoteContext } from './context.ts';

/** The kinds of spans, by their numbers in OTLP. */
export const SPAN_KIND = { internal: 1, server: 2, client: 3 } as const;

/** A span that has ended. */
export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId?: string | undefined;
  /** The parent is a span of another process. */
  readonly isParentRemote?: boolean;
  readonly name: string;
  readonly kind: (typeof SPAN_KIND)[keyof typeof SPAN_KIND];
  readonly startWallMs: number;
  readonly endWallMs: number;
  readonly attributes: Attributes;
  readonly links: readonly RemoteContext[];
  /** Why it failed: a code, with the place where it happened. */
  readonly error?: { readonly code: string; readonly place: string } | undefined;
}
