import { type Failure, failure } from '../base/errors.ts';
import type { TracesConfig } from '../config/config.ts';
import type { Environment } from '../config/environment.ts';
import { type OtlpSettings, readSettings, variablesOf } from '../otlp/settings.ts';
import { type Sampler, samplerOf } from './sampler.ts';

/** Where spans go, and which. */
export interface TraceSettings extends OtlpSettings {
  readonly sampler: Sampler;
}

/** Reads the section `traces` and the variables of OpenTelemetry, as `readSettings` does, and the sampler. */
export function readTraceSettings(
  config: TracesConfig,
  env: Environment,
  version: string,
): { readonly settings?: TraceSettings; readonly warnings: readonly Failure[] } {
  const { settings, warnings } = readSettings('traces', config, env, version);
  if (settings === undefined) return { warnings };
  const of = variablesOf(env);
  const name = of('OTEL_TRACES_SAMPLER') ?? 'parentbased_always_on';
  const warn = (place: string, seen: string) => [...warnings, failure('TRACES_UNUSABLE', place, seen)];
  const sampler = samplerOf(name, of('OTEL_TRACES_SAMPLER_ARG'));
  if (sampler !== undefined) return { settings: { ...settings, sampler }, warnings };
  const all = samplerOf(name, undefined);
  if (all !== undefined) {
    const seen = 'it is no number from 0 to 1; 1 counts';
    return { settings: { ...settings, sampler: all }, warnings: warn('OTEL_TRACES_SAMPLER_ARG', seen) };
  }
  return {
    settings: { ...settings, sampler: samplerOf('parentbased_always_on', undefined) as Sampler },
    warnings: warn('OTEL_TRACES_SAMPLER', 'there is no such sampler; parentbased_always_on counts'),
  };
}
