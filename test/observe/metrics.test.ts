import { describe, expect, it } from 'vitest';
import { failure } from '../../src/base/errors.ts';
import { isHere, run } from '../templates/programs.helpers.ts';
import { readExposition, sampleOf } from './exposition.helpers.ts';
import { metricsOf, observedWorld } from './observed.helpers.ts';

const refused = failure('BACKEND_UNREACHABLE', 'backends.bao', 'connection refused');

/** An agent with an example of everything that is measured. */
function busyWorld() {
  const world = observedWorld();
  world.configure({ secrets: ['app', 'db', 'gone', 'tls'], outputs: ['shop'] });
  world.fresh('app', 5_000);
  world.fresh('db');
  world.fresh('secret bao team/private');
  world.state.hub = {
    streams: 5,
    onDemand: { names: 2, max: 9 },
    served: () => [{ name: 'server_cert', kind: 'certificate', secrets: ['app'], state: 'ready', streams: 5 }],
  };
  world.certificate('tls', Date.UTC(2026, 0, 1), Date.UTC(2026, 0, 31));
  world.ends.set('db', 3_600_000);
  world.outputs.set('shop', { kind: 'settled', generation: 7 });
  const listener = { connections: 3, answered: new Map([[304, 9]]) };
  world.state.listeners = [{ service: 'api', where: 'unix:///run/a', listener }];
  world.logins.set('bao', { method: 'jwt', state: 'live', isUsable: true, endsMonoMs: 60_000, nextMonoMs: 40_000 });
  return world;
}

function happen({ emit }: ReturnType<typeof observedWorld>): void {
  const bao = { backend: 'bao' };
  emit({ kind: 'backend-answered', ...bao, call: 'GET secret/data/team/private', status: 200, durationMs: 3 });
  emit({ kind: 'backend-answered', ...bao, call: 'GET secret/data/team/private', status: 403, durationMs: 30 });
  emit({ kind: 'backend-failed', ...bao, call: 'POST auth/jwt/login', failure: refused, durationMs: 1 });
  emit({ kind: 'login-made', ...bao, method: 'jwt', ttlMs: 1, renewable: true, login: 1 });
  emit({ kind: 'login-failed', ...bao, method: 'jwt', failure: refused, retryInMs: 500 });
  emit({ kind: 'secret-changed', secrets: ['app'], life: 'none', first: true });
  emit({ kind: 'secret-failed', secrets: ['app'], doing: 'fetch', failure: refused, retryInMs: 1 });
  const shop = { output: 'shop' };
  emit({ kind: 'output-rendered', ...shop, result: 'files', durationMs: 2 });
  emit({ kind: 'output-published', ...shop, dir: '/o', generation: 7, files: 1, durationMs: 20 });
  emit({ kind: 'reload-step', ...shop, generation: 7, step: 1, how: 'signal', durationMs: 1 });
  emit({ kind: 'reload-done', ...shop, generation: 7, steps: 1, durationMs: 1 });
  const proxied = { where: '127.0.0.1:8207', call: 'GET secret/data/team/private', cache: 'hit' } as const;
  emit({ kind: 'proxy-answered', ...bao, ...proxied, status: 200, durationMs: 1 });
  emit({ kind: 'sds-sent', how: 'delta', names: ['server_cert'], secrets: 1 });
  emit({ kind: 'sds-refused', names: ['server_cert'], node: 'n', failure: refused });
  emit({ kind: 'child-started', pid: 2, why: 'changed' });
  emit({ kind: 'child-ended', pid: 2, status: 143, livedMs: 1 });
  emit({ kind: 'config-rejected', failure: refused, problem: 1, problems: 2 });
  emit({ kind: 'config-rejected', failure: refused, problem: 2, problems: 2 });
}

describe('the metrics', () => {
  it.each(['prometheus', 'openmetrics'] as const)(
    'are read by the parser of %s, each with its help and type',
    async (as) => {
      const world = busyWorld();
      using made = await metricsOf(world);
      happen(world);
      await world.clock.advance(4_000);
      const { body, type } = await made.metrics.scrape(as);
      expect(type).toContain(as === 'prometheus' ? 'version=0.0.4' : 'openmetrics-text; version=1.0.0');
      const families = await readExposition(body, as);
      const names = families.map(({ name }) => name);
      const own = made.metrics
        .list()
        .map(({ name, type }) => (type === 'counter' ? name.replace(/_total$/, '') : name));
      expect(names.sort()).toEqual(own.sort());
      for (const { help, type } of families) {
        expect(help).not.toBe('');
        expect(['counter', 'gauge', 'histogram']).toContain(type);
      }
      expect(sampleOf(families, 'pannier_secret_age_seconds', { secret: 'app' })).toBe(9);
      expect(sampleOf(families, 'pannier_secret_state', { secret: 'gone', state: 'absent', backend: 'bao' })).toBe(1);
      const startedS = Date.UTC(2026, 0, 1) / 1000;
      expect(sampleOf(families, 'pannier_secret_expiry_timestamp_seconds', { secret: 'db' })).toBe(startedS + 3600);
      expect(sampleOf(families, 'pannier_secret_expiry_timestamp_seconds', { secret: 'app' })).toBeUndefined();
      expect(sampleOf(families, 'pannier_login_expiry_timestamp_seconds', { backend: 'bao' })).toBe(startedS + 60);
      const reads = { backend: 'bao', operation: 'read' };
      expect(sampleOf(families, 'pannier_backend_requests_total', { ...reads, status: '403' })).toBe(1);
      const login = { backend: 'bao', operation: 'login', status: 'BACKEND_UNREACHABLE' };
      expect(sampleOf(families, 'pannier_backend_requests_total', login)).toBe(1);
      expect(sampleOf(families, 'pannier_backend_request_duration_seconds_count', reads)).toBe(2);
      expect(sampleOf(families, 'pannier_backend_request_duration_seconds_bucket', { ...reads, le: '0.025' })).toBe(1);
      expect(sampleOf(families, 'pannier_output_reloads_total', { output: 'shop', result: 'done' })).toBe(1);
      expect(sampleOf(families, 'pannier_config_loads_total', { result: 'rejected' })).toBe(1);
      expect(sampleOf(families, 'pannier_config_last_load_successful')).toBe(0);
      expect(sampleOf(families, 'pannier_secrets', { state: 'fresh' })).toBe(3);
      expect(sampleOf(families, 'pannier_event_loop_lag_seconds_count')).toBe(2);
      const tls = { secret: 'tls' };
      expect(sampleOf(families, 'pannier_certificate_expiration_timestamp_seconds', tls)).toBe(startedS + 30 * 86_400);
      expect(sampleOf(families, 'pannier_certificate_not_before_timestamp_seconds', tls)).toBe(startedS);
      expect(sampleOf(families, 'pannier_certificate_renewal_timestamp_seconds', tls)).toBe(startedS + 64);
      const app = { secret: 'app' };
      expect(sampleOf(families, 'pannier_certificate_expiration_timestamp_seconds', app)).toBeUndefined();
      expect(sampleOf(families, 'pannier_sds_streams')).toBe(5);
      expect(sampleOf(families, 'pannier_sds_on_demand_names')).toBe(2);
      expect(sampleOf(families, 'pannier_sds_answers_total', { result: 'refused' })).toBe(1);
      expect(sampleOf(families, 'pannier_sds_secret_state', { name: 'server_cert', state: 'ready' })).toBe(1);
      const hit = { backend: 'bao', operation: 'read', status: '200', cache: 'hit' };
      expect(sampleOf(families, 'pannier_proxy_requests_total', hit)).toBe(1);
      expect(sampleOf(families, 'pannier_child_ends_total', { status: '143' })).toBe(1);
      const api = { service: 'api', listener: 'unix:///run/a', status: '304' };
      expect(sampleOf(families, 'pannier_listener_requests_total', api)).toBe(9);
    },
  );

  it('both results of what is sent by OTLP are there from the start, when it is configured', async () => {
    const world = observedWorld({ hasTraces: true });
    const bare = observedWorld();
    world.state.config = { ...world.state.config, log: { ...world.state.config.log, otlp: { place: 'log.otlp' } } };
    using made = await metricsOf(world);
    using without = await metricsOf(bare);
    const { body } = await made.metrics.scrape('prometheus');
    for (const name of ['pannier_log_lines_total', 'pannier_trace_spans_total']) {
      for (const result of ['sent', 'dropped']) expect(body).toContain(`${name}{result="${result}"} 0\n`);
      expect((await without.metrics.scrape('prometheus')).body).not.toContain(`${name}{`);
    }
  });

  it('one format does not change the other: counters keep their names', async () => {
    using made = await metricsOf(busyWorld());
    const before = await made.text();
    await made.metrics.scrape('openmetrics');
    const names = (text: string) => text.match(/^# TYPE .*$/gm);
    expect(names(await made.text())).toEqual(names(before));
  });

  it('show no path, configured or computed', async () => {
    const world = busyWorld();
    using made = await metricsOf(world);
    happen(world);
    world.emit({ kind: 'secret-changed', secrets: ['secret bao team/private'], life: 'none', first: true });
    for (const as of ['prometheus', 'openmetrics'] as const) {
      expect((await made.metrics.scrape(as)).body).not.toContain('private');
    }
  });

  it('count the computed secrets of each output, and show how old the oldest is', async () => {
    const world = observedWorld();
    world.configure({ secrets: ['app'], outputs: ['shop'] });
    world.fresh('secret bao team/private', 5_000);
    world.fresh('secret bao (computed mark)', 60_000);
    using made = await metricsOf(world);
    const text = await made.text();
    expect(text).toContain('pannier_secrets_computed{output="shop",state="fresh"} 2');
    const oldest = /pannier_secrets_computed_oldest_success_timestamp_seconds\{output="shop"\} ([\d.]+)/.exec(
      text,
    )?.[1];
    expect(Number(oldest) * 1000).toBe(world.clock.wallMs() - 60_000);
    expect(text).toContain('pannier_secrets{state="fresh"} 0');
  });

  it('tell the version of each value that agents share, and of the configuration', async () => {
    const world = busyWorld();
    using made = await metricsOf(world);
    const families = await readExposition(await made.text(), 'prometheus');
    expect(sampleOf(families, 'pannier_secret_version_info', { secret: 'app', backend: 'bao', version: '1' })).toBe(1);
    const text = await made.text();
    expect(text).not.toMatch(/version_info\{secret="(?:tls|gone)"/);
    expect(text).toMatch(/^pannier_config_info\{config="[0-9a-f]{16}"\} 1$/m);
  });

  it('the series of a secret, an output and a backend end when they are no longer configured', async () => {
    const world = busyWorld();
    using made = await metricsOf(world);
    happen(world);
    expect(await made.text()).toMatch(/secret="app"[\s\S]*output="shop"/);
    world.configure({ secrets: ['db'] });
    world.state.config = { ...world.state.config, backends: new Map() };
    world.entries.delete('app');
    world.outputs.clear();
    world.emit({ kind: 'config-applied', secrets: 1, outputs: 0 });
    const text = await made.text();
    expect(text).toContain('secret="db"');
    expect(text).not.toMatch(/secret="app"|output="shop"|backend="bao",operation/);
  });

  it('a label can hold any name of a backend', async () => {
    const world = observedWorld();
    world.fresh('a"\\\n}');
    world.configure({ secrets: ['a"\\\n}'] });
    using made = await metricsOf(world);
    for (const as of ['prometheus', 'openmetrics'] as const) {
      const families = await readExposition((await made.metrics.scrape(as)).body, as);
      expect(sampleOf(families, 'pannier_secret_age_seconds', { secret: 'a"\\\n}' })).toBe(0);
    }
  });

  it('each metric of a secret has ten thousand series for as many secrets, and concurrent scrapes share one text', async () => {
    const world = observedWorld();
    const secrets = Array.from({ length: 10_000 }, (_, i) => `s${i}`);
    world.configure({ secrets });
    for (const name of secrets) world.fresh(name);
    using made = await metricsOf(world);
    const [one, other] = await Promise.all([made.metrics.scrape('prometheus'), made.metrics.scrape('prometheus')]);
    expect(one).toBe(other);
    expect(one.body.match(/^pannier_secret_age_seconds\{/gm)).toHaveLength(10_000);
  });

  it('leave no listener and no timer behind', async () => {
    const world = observedWorld();
    (await metricsOf(world))[Symbol.dispose]();
    expect([world.listening(), world.clock.waiting]).toEqual([0, 0]);
  });

  it('have the names and types that promtool requires', async ({ skip }) => {
    if (!(await isHere('promtool', '--version'))) skip('promtool is not on PATH');
    const world = busyWorld();
    using made = await metricsOf(world);
    happen(world);
    const checking = run('promtool', ['check', 'metrics']);
    checking.child.stdin?.end(await made.text());
    const { stdout, stderr } = await checking;
    expect([stdout, stderr]).toEqual(['', '']);
  });
});
