import { describe, expect, it } from 'vitest';
import { readTraceSettings } from '../../src/trace/settings.ts';

const read = (env: Readonly<Record<string, string>>, config = {}) =>
  readTraceSettings({ place: 'traces', ...config }, env, '1.2.3');
const places = (env: Readonly<Record<string, string>>) => read(env).warnings.map(({ place }) => place);

describe('the settings of traces', () => {
  it('have the defaults of OpenTelemetry', () => {
    const { settings, warnings } = read({});
    expect(warnings).toEqual([]);
    expect(settings).toMatchObject({ origin: 'http://localhost:4318', path: '/v1/traces', timeoutMs: 10_000 });
    expect(settings?.resource).toMatchObject({ 'service.name': 'pannier', 'service.version': '1.2.3' });
    expect(settings?.sampler('f'.repeat(32), undefined)).toBe(true);
  });

  it('come from the section, then from variables for traces, then from those for all signals', () => {
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'https://all:1/otlp/',
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://traces:2/somewhere',
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20abc, x-tenant = t',
      OTEL_EXPORTER_OTLP_TIMEOUT: '500',
      OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: '250',
      OTEL_EXPORTER_OTLP_CERTIFICATE: '/ca.pem',
      OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: '/client.pem',
      OTEL_EXPORTER_OTLP_CLIENT_KEY: '/client.key',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
      OTEL_RESOURCE_ATTRIBUTES: 'k8s.pod.name=shop-1,service.name=of-attributes,note=a%2Cb',
    };
    const { settings, warnings } = read(env);
    expect(warnings).toEqual([]);
    expect(settings).toMatchObject({
      origin: 'https://traces:2',
      path: '/somewhere',
      headers: { authorization: 'Bearer abc', 'x-tenant': 't' },
      timeoutMs: 250,
      tls: { caFile: '/ca.pem', certFile: '/client.pem', keyFile: '/client.key', skipVerify: false },
      resource: { 'k8s.pod.name': 'shop-1', note: 'a,b', 'service.name': 'of-attributes' },
    });
    const { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: _, ...general } = env;
    expect(read(general).settings).toMatchObject({ origin: 'https://all:1', path: '/otlp/v1/traces' });
    const named = { ...env, OTEL_SERVICE_NAME: 'of-variable' };
    expect(read(named).settings?.resource['service.name']).toBe('of-variable');
    const own = read(named, { endpoint: 'http://own:3/base', service: 'own' }).settings;
    expect(own).toMatchObject({ origin: 'http://own:3', path: '/base/v1/traces' });
    expect(own?.resource['service.name']).toBe('own');
  });

  it('can switch traces off', () => {
    for (const env of [{ OTEL_SDK_DISABLED: 'TRUE' }, { OTEL_TRACES_EXPORTER: 'none' }]) {
      expect(read(env)).toEqual({ warnings: [] });
    }
    expect(read({ OTEL_SDK_DISABLED: 'yes' }).settings).toBeDefined();
  });

  it.each([
    ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4317'],
    ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'http://user:hunter2@collector:4318'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'unix:///run/collector.sock'],
  ])('that cannot be used are a warning, and nothing is sent: %s=%s', (name, text) => {
    const { settings, warnings } = read({ [name]: text });
    expect(settings).toBeUndefined();
    expect(warnings).toMatchObject([{ code: 'TRACES_UNUSABLE', place: name }]);
    expect(JSON.stringify(warnings)).not.toContain('hunter2');
  });

  it('with headers that are of the request itself are warnings, and the other headers are sent', () => {
    const env = { OTEL_EXPORTER_OTLP_HEADERS: 'Content-Length=3,host=hunter2,transfer-encoding=chunked,x-a=1' };
    expect(read(env).warnings.map(({ seen }) => seen.split(' ')[0])).toEqual([
      ...['content-length', 'host', 'transfer-encoding'],
    ]);
    expect(read(env).settings?.headers).toEqual({ 'x-a': '1' });
  });

  it('with a wrong argument of the sampler are a warning about the argument, and all traces count', () => {
    const env = { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '25%' };
    expect(places(env)).toEqual(['OTEL_TRACES_SAMPLER_ARG']);
    expect(read(env).settings?.sampler('0'.repeat(32), undefined)).toBe(true);
  });

  it('that are wrong beside the address are warnings, and traces are sent', () => {
    const env = {
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=hunter2%0d%0aevil: 1',
      OTEL_EXPORTER_OTLP_TIMEOUT: 'soon',
      OTEL_TRACES_SAMPLER: 'xray',
      OTEL_RESOURCE_ATTRIBUTES: 'hunter2',
    };
    expect(places(env).sort()).toEqual(Object.keys(env).sort());
    expect(JSON.stringify(read(env).warnings)).not.toContain('hunter2');
    expect(read(env).settings).toMatchObject({ headers: {}, timeoutMs: 10_000 });
  });
});
