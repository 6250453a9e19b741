import { type Failure, failure } from '../base/errors.ts';
import { isHeaderText } from '../base/header-text.ts';
import { parseAddress } from '../config/address.ts';
import type { TlsConfig } from '../config/config.ts';
import type { Environment } from '../config/environment.ts';
import type { Attributes } from './encode.ts';

/** What is sent, each with variables and a path of its own. */
export type Signal = 'traces' | 'logs';

/** What the configuration says. */
export interface OtlpConfig {
  /** `http://host:port`, with or without a path; the path of the signal is put behind it. */
  readonly endpoint?: string | undefined;
  /** How the agent is called. */
  readonly service?: string | undefined;
  /** Configuration path of the section, for messages. */
  readonly place: string;
}

/** Where a signal goes, and with what. */
export interface OtlpSettings {
  /** `http://host:port`. */
  readonly origin: string;
  readonly path: string;
  /** May hold credentials: they go into requests and nowhere else. */
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly tls: TlsConfig;
  /** The variables that name the files of `tls`, by its keys. */
  readonly tlsVariables: ReadonlyMap<string, string>;
  readonly resource: Attributes;
}

/** Why nothing is sent, or what of the settings is not followed. The text of a variable is never shown. */
export interface ReadSettings {
  /** Absent: nothing is sent. */
  readonly settings?: OtlpSettings;
  readonly warnings: readonly Failure[];
}

const DEFAULT_TIMEOUT_MS = 10_000;
const DEFAULT_ENDPOINT = 'http://localhost:4318';
/** Headers that each request has of its own. */
const RESERVED: ReadonlySet<string> = new Set([
  ...['connection', 'content-encoding', 'content-length', 'content-type', 'expect', 'host'],
  ...['transfer-encoding', 'user-agent'],
]);

/** The code of a setting that cannot be followed. */
export const UNUSABLE = { traces: 'TRACES_UNUSABLE', logs: 'LOGS_UNUSABLE' } as const;

/** The text of a variable; one that is empty counts as absent. */
export type Variable = (name: string) => string | undefined;

export const variablesOf =
  (env: Environment): Variable =>
  (name) =>
    env[name] === '' ? undefined : env[name];

/**
 * Reads the variables of OpenTelemetry beside the configuration. The configuration wins, since a child of `exec` has
 * the same environment; a variable for the signal wins over one for all signals.
 */
export function readSettings(signal: Signal, config: OtlpConfig, env: Environment, version: string): ReadSettings {
  const warnings: Failure[] = [];
  const warn = (place: string, seen: string) => warnings.push(failure(UNUSABLE[signal], place, seen));
  const of = variablesOf(env);
  const upper = signal.toUpperCase();
  const forSignal = (name: string) =>
    [`OTEL_EXPORTER_OTLP_${upper}_${name}`, `OTEL_EXPORTER_OTLP_${name}`].find((key) => of(key) !== undefined);
  if (of('OTEL_SDK_DISABLED')?.toLowerCase() === 'true' || of(`OTEL_${upper}_EXPORTER`) === 'none') return { warnings };

  const protocol = forSignal('PROTOCOL');
  if (protocol !== undefined && !/^http\/(?:json|protobuf)$/.test(of(protocol) ?? '')) {
    warn(protocol, `the protocol is neither http/json nor http/protobuf, so no ${signal} are sent`);
    return { warnings };
  }

  const found = endpointOf(signal, config, of);
  const { address, wrong = '' } = parseAddress(found.text);
  if (address === undefined || !address.startsWith('http')) {
    warn(found.place, `${wrong === '' ? 'it is a socket' : wrong}, so no ${signal} are sent`);
    return { warnings };
  }
  const { origin, pathname } = new URL(address);
  const base = pathname.replace(/\/+$/, '');

  const timeout = forSignal('TIMEOUT');
  const timeoutMs = timeout === undefined ? DEFAULT_TIMEOUT_MS : Number(of(timeout));
  const isTime = timeoutMs > 0 && timeoutMs <= 600_000;
  if (!isTime) warn(timeout ?? '', `it is no number of milliseconds; ${DEFAULT_TIMEOUT_MS} counts`);

  const headersFrom = forSignal('HEADERS');
  const headers = pairsOf(of(headersFrom ?? '') ?? '');
  const isHeaders = headers !== undefined && Object.entries(headers).every(([name, text]) => isHeader(name, text));
  if (!isHeaders) warn(headersFrom ?? '', 'it is no list of NAME=VALUE, so no header of it is sent');
  const reserved = isHeaders ? Object.keys(headers).filter((name) => RESERVED.has(name.toLowerCase())) : [];
  for (const name of reserved) {
    warn(headersFrom ?? '', `${name.toLowerCase()} is of the request itself, so it is not taken from here`);
  }

  const attributes = pairsOf(of('OTEL_RESOURCE_ATTRIBUTES') ?? '');
  if (attributes === undefined) warn('OTEL_RESOURCE_ATTRIBUTES', 'it is no list of NAME=VALUE, so none of it is sent');

  const tlsVariables = new Map<string, string>();
  const file = (name: string, key: 'caFile' | 'certFile' | 'keyFile') => {
    const variable = forSignal(name) ?? '';
    const path = of(variable);
    if (path === undefined) return {};
    tlsVariables.set(key, variable);
    return { [key]: path };
  };
  const tls = {
    skipVerify: false,
    ...file('CERTIFICATE', 'caFile'),
    ...file('CLIENT_CERTIFICATE', 'certFile'),
    ...file('CLIENT_KEY', 'keyFile'),
  };
  const [certificate, key] = [tlsVariables.get('certFile'), tlsVariables.get('keyFile')];
  const given = certificate ?? key;
  if (given !== undefined && (certificate === undefined || key === undefined) && origin.startsWith('https:')) {
    const missing = given.replace(/CERTIFICATE$|KEY$/, certificate === undefined ? 'CERTIFICATE' : 'KEY');
    warn(missing, `it is absent, so the receiver is shown no certificate; ${given} needs it`);
  }
  const service = config.service ?? of('OTEL_SERVICE_NAME') ?? attributes?.['service.name'] ?? 'pannier';
  return {
    settings: {
      origin,
      path: found.isWhole ? base || '/' : `${base}/v1/${signal}`,
      headers: Object.fromEntries(
        Object.entries(isHeaders ? headers : {}).filter(([name]) => !reserved.includes(name)),
      ),
      timeoutMs: isTime ? timeoutMs : DEFAULT_TIMEOUT_MS,
      tls,
      tlsVariables,
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

/** A variable for the signal holds the whole URL; the others hold what stands before the path. */
function endpointOf(signal: Signal, { endpoint, place }: OtlpConfig, of: Variable) {
  if (endpoint !== undefined) return { text: endpoint, isWhole: false, place: `${place}.endpoint` };
  const name = `OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_ENDPOINT`;
  const forSignal = of(name);
  if (forSignal !== undefined) return { text: forSignal, isWhole: true, place: name };
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
