import type { RemoteContext } from './context.ts';

/** Decides whether a trace is sent, by its id and what a client says of it. */
export type Sampler = (traceId: string, parent: RemoteContext | undefined) => boolean;

/**
 * The sampler that OTEL_TRACES_SAMPLER names; undefined when there is no such one.
 * @param argument OTEL_TRACES_SAMPLER_ARG: the part of all traces that is sent, 0 to 1.
 */
export function samplerOf(name: string, argument: string | undefined): Sampler | undefined {
  if (name.startsWith('parentbased_')) {
    const root = samplerOf(name.slice('parentbased_'.length), argument);
    return root && ((traceId, parent) => parent?.sampled ?? root(traceId, undefined));
  }
  if (name === 'always_on') return () => true;
  if (name === 'always_off') return () => false;
  if (name !== 'traceidratio') return undefined;
  const ratio = argument === undefined || argument === '' ? 1 : Number(argument);
  if (!(ratio >= 0 && ratio <= 1)) return undefined;
  // By the last 7 bytes, which are random in ids of any maker, as consistent probability sampling has it: all parts of
  // a system decide alike for one trace. A double has no more than 52 of the 56 bits.
  return (traceId) => Number.parseInt(traceId.slice(-14, -1), 16) >= (1 - ratio) * 2 ** 52;
}
