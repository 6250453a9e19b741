import { type Failure, failure } from '../base/errors.ts';
import { isHeaderText } from '../base/header-text.ts';
import { parseAddress } from '../config/address.ts';
import type { TlsConfig, TracesConfig } from '../config/config.ts';
import type { Environment } from '../config/environment.ts';
import { type Sampler, samplerOf } from './sampler.ts';
import type { Attributes } from './span.ts';

/** Where spans go, and which. */
export interface TraceSettings {
  /** `http://host:port`. */
  readonly origin: string;
  readonly path: string;
  /** May hold credentials: they go into requests and nowhere else. */
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly tls: TlsConfig;
  readonly sampler: Sampler;
  readonly resource: Attributes;
}

/** Why there are no traces, or what of the settings is not followed. The text of a variable is never shown. */
export interface ReadSettings {
  /** Absent: nothing is sent. */
  readonly settings?: TraceSettings;
  readonly warnings: readonly Failure[];
}

const DEFAULT_TIMEOUT_MS = 10_000;
const DEFAULT_ENDPOINT = 'http://localhost:4318';
const PATH = '/v1/traces';

/**
 * Reads the section `traces` and the variables of OpenTelemetry. The section wins, since a child of `exec` has the same
 * environment; a variable for traces wins over one for all signals.
 */
export function readSettings(config: TracesConfig, env: Environment, version: string): ReadSettings {
  const warnings: Failure[] = [];
  const warn = (place: string, seen: string) => warnings.push(failure('TRACES_UNUSABLE', place, seen));
  const of = (name: string) => (env[name] === '' ? undefined : env[name]);
  const forTraces = (name: string) =>
    [`OTEL_EXPORTER_OTLP_TRACES_${name}`, `OTEL_EXPORTER_OTLP_${name}`].find((key) => of(key) !== undefined);
  if (of('OTEL_SDK_DISABLED')?.toLowerCase() === 'true' || of('OTEL_TRACES_EXPORTER') === 'none') return { warnings };

  const protocol = forTraces('PROTOCOL');
  if (protocol !== undefined && !/^http\/(?:json|protobuf)$/.test(of(protocol) ?? '')) {
    warn(protocol, 'the protocol is neither http/json nor http/protobuf, so no traces are sent');
    return { warnings };
  }

  const found = endpointOf(config, of);
  const { address, wrong = '' } = parseAddress(found.text);
  if (address === undefined || !address.startsWith('http')) {
    warn(found.place, `${wrong === '' ? 'it is a socket' : wrong}, so no traces are sent`);
    return { warnings };
  }
  const { origin, pathname } = new URL(address);
  const base = pathname.replace(/\/+$/, '');

  const timeout = forTraces('TIMEOUT');
  const timeoutMs = timeout === undefined ? DEFAULT_TIMEOUT_MS : Number(of(timeout));
  const isTime = timeoutMs > 0 && timeoutMs <= 600_000;
  if (!isTime) warn(timeout ?? '', `it is no number of milliseconds; ${DEFAULT_TIMEOUT_MS} counts`);

  const samplerName = of('OTEL_TRACES_SAMPLER') ?? 'parentbased_always_on';
  const sampler = samplerOf(samplerName, of('OTEL_TRACES_SAMPLER_ARG'));
  if (sampler === undefined) warn('OTEL_TRACES_SAMPLER', 'there is no such sampler; parentbased_always_on counts');

  const headersFrom = forTraces('HEADERS');
  const headers = pairsOf(of(headersFrom ?? '') ?? '');
  const isHeaders = headers !== undefined && Object.entries(headers).every(([name, text]) => isHeader(name, text));
  if (!isHeaders) warn(headersFrom ?? '', 'it is no list of NAME=VALUE, so no header of it is sent');

  const attributes = pairsOf(of('OTEL_RESOURCE_ATTRIBUTES') ?? '');
  if (attributes === undefined) warn('OTEL_RESOURCE_ATTRIBUTES', 'it is no list of NAME=VALUE, so none of it is sent');

  const file = (name: string, key: 'caFile' | 'certFile' | 'keyFile') => {
    const path = of(forTraces(name) ?? '');
    return path === undefined ? {} : { [key]: path };
  };
  const tls = {
    skipVerify: false,
    ...file('CERTIFICATE', 'caFile'),
    ...file('CLIENT_CERTIFICATE', 'certFile'),
    ...file('CLIENT_KEY', 'keyFile'),
  };
  const service = config.service ?? of('OTEL_SERVICE_NAME') ?? attributes?.['service.name'] ?? 'pannier';
  return {
    settings: {
      origin,
      path: found.isWhole ? base || '/' : `${base}${PATH}`,
      headers: isHeaders ? headers : {},
      timeoutMs: isTime ? timeoutMs : DEFAULT_TIMEOUT_MS,
      tls,
      sampler: sampler ?? (samplerOf('parentbased_always_on', undefined) as Sampler),
      resource: {
        'telemetry.sdk.name': 'pannier',
        'telemetry.sdk.language': 'nodejs',
        'telemetry.sdk.version': version,
        'service.version': version,
        ...attributes,
        'service.name': service,
      },
    },
    warnings,
  };
}

/** A variable for traces holds the whole URL; the others hold what stands before the path. */
function endpointOf({ endpoint, place }: TracesConfig, of: (name: string) => string | undefined) {
  if (endpoint !== undefined) return { text: endpoint, isWhole: false, place: `${place}.endpoint` };
  const forTraces = of('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT');
  if (forTraces !== undefined) return { text: forTraces, isWhole: true, place: 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT' };
  const text = of('OTEL_EXPORTER_OTLP_ENDPOINT') ?? DEFAULT_ENDPOINT;
  return { text, isWhole: false, place: 'OTEL_EXPORTER_OTLP_ENDPOINT' };
}

/** `a=1,b=2`, each value percent-encoded, as W3C Baggage has it; undefined when it has another form. */
function pairsOf(text: string): Record<string, string> | undefined {
  const pairs: Record<string, string> = Object.create(null);
  for (const part of text.split(',').map((one) => one.trim())) {
    if (part === '') continue;
    const at = part.indexOf('=');
    if (at < 1) return undefined;
    try {
      pairs[part.slice(0, at).trim()] = decodeURIComponent(part.slice(at + 1).trim());
    } catch {
      return undefined;
    }
  }
  return pairs;
}

const isHeader = (name: string, text: string): boolean =>
  /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name) && isHeaderText(text);
