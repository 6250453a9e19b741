import type { Clock } from '../base/clock.ts';
import { asFailure, type Failure } from '../base/errors.ts';
import type { Emit } from '../base/fact.ts';
import type { Tracing } from '../base/tracing.ts';
import type { TracesConfig } from '../config/config.ts';
import type { Environment } from '../config/environment.ts';
import { checkFiles } from '../otlp/check-files.ts';
import { Exporter } from '../otlp/exporter.ts';
import { encodeSpans } from './otlp.ts';
import { readTraceSettings } from './settings.ts';
import type { Span } from './span.ts';
import { Tracer } from './tracer.ts';

export interface OpenTracesDeps {
  readonly clock: Clock;
  readonly random: () => number;
  readonly env: Environment;
  /** Pannier's version. */
  readonly version: string;
}

/** Begins to make traces. Nothing that is wrong with the settings ends the agent: it is a warning. */
export function openTraces(
  config: TracesConfig,
  deps: OpenTracesDeps,
): { readonly tracing?: Tracing; readonly warnings: readonly Failure[] } {
  const { settings, warnings } = readTraceSettings(config, deps.env, deps.version);
  if (settings === undefined) return { warnings };
  try {
    const sender = new Exporter<Span>({
      ...deps,
      settings,
      export: {
        ...{ place: 'traces', code: 'TRACES_NOT_SENT', noun: 'spans', rejected: 'rejectedSpans' },
        encode: (spans) => encodeSpans(spans, settings.resource, deps.version),
        onSent: (spans) => tracer.report({ kind: 'traces-sent', spans }),
        onDropped: (spans, failure, again) => tracer.report({ kind: 'traces-dropped', spans, failure, again }),
      },
    });
    const onStart = (emit: Emit) => void checkFiles('traces', settings, deps.clock, emit);
    const tracer: Tracer = new Tracer({ ...deps, sampler: settings.sampler, sender, onStart });
    return { tracing: tracer, warnings };
  } catch (error) {
    return { warnings: [...warnings, asFailure(error, config.place)] };
  }
}
