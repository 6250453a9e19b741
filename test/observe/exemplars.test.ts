import { describe, expect, it } from 'vitest';
import { failure } from '../../src/base/errors.ts';
import type { Fact } from '../../src/base/fact.ts';
import { preferred } from '../../src/observe/metrics-route.ts';
import { readExposition } from './exposition.helpers.ts';
import { metricsOf, observedWorld } from './observed.helpers.ts';

const SPAN = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', sampled: true };
const LABELS = { trace_id: SPAN.traceId, span_id: SPAN.spanId };
const refused = failure('BACKEND_UNREACHABLE', 'backends.bao', 'connection refused');
const shop = { output: 'shop' };

const FACTS: readonly Fact[] = [
  { kind: 'secret-changed', secrets: ['app'], life: 'none', first: false },
  { kind: 'secret-unchanged', secrets: ['app'] },
  { kind: 'secret-failed', secrets: ['app'], doing: 'fetch', failure: refused, retryInMs: 1 },
  { kind: 'output-published', ...shop, dir: '/o', generation: 7, files: 1, durationMs: 20 },
  { kind: 'reload-step', ...shop, generation: 7, step: 1, how: 'signal', durationMs: 1 },
  { kind: 'backend-answered', backend: 'bao', call: 'GET secret/data/app', status: 200, durationMs: 3 },
  { kind: 'config-rejected', failure: refused, problem: 1, problems: 1 },
];

/** The samples of a scrape in OpenMetrics that have exemplars, and its text. */
async function scraped(world: ReturnType<typeof observedWorld>, facts = FACTS) {
  using made = await metricsOf(world);
  for (const fact of facts) world.emit(fact);
  const { body } = await made.metrics.scrape('openmetrics');
  const samples = (await readExposition(body, 'openmetrics')).flatMap((family) => family.samples);
  return { body, text: await made.text(), marked: samples.filter(({ exemplar }) => exemplar !== undefined) };
}

function traced(span: typeof SPAN | undefined) {
  const world = observedWorld({ hasTraces: true });
  world.configure({ secrets: ['app'], outputs: ['shop'] });
  world.state.span = span;
  return world;
}

describe('the count of spans', () => {
  it('begins at 0 where traces are made, so that the first loss is an increase', async () => {
    using made = await metricsOf(traced(undefined));
    expect(await made.text()).toContain('pannier_trace_spans_total{result="dropped"} 0\n');
    using without = await metricsOf(observedWorld());
    expect(await without.text()).not.toContain('pannier_trace_spans_total{');
  });
});

describe('exemplars', () => {
  it('name the trace of what is in a trace that is sent, on counters and buckets', async () => {
    const { marked } = await scraped(traced(SPAN));
    expect(marked.map(({ exemplar }) => exemplar)).toEqual(marked.map(() => LABELS));
    expect(marked.map(({ name, labels }) => [name, labels['result'] ?? labels['code'] ?? ''])).toEqual([
      ['pannier_secret_attempts_total', 'changed'],
      ['pannier_secret_attempts_total', 'failed'],
      ['pannier_failures_total', 'BACKEND_UNREACHABLE'],
      ['pannier_output_publish_duration_seconds_bucket', ''],
      ['pannier_reload_step_duration_seconds_bucket', ''],
    ]);
  });

  it('have less than the 128 characters that are allowed', async () => {
    const { body } = await scraped(traced(SPAN));
    for (const [, labels = ''] of body.matchAll(/ # \{([^}]*)\}/g)) {
      const text = labels.replace(/[=",]/g, '');
      expect([...text].length).toBeLessThanOrEqual(128);
    }
  });

  it('are none of a trace that is not sampled, nor outside of a trace, nor without traces', async () => {
    for (const world of [traced({ ...SPAN, sampled: false }), traced(undefined), observedWorld()]) {
      world.configure({ secrets: ['app'], outputs: ['shop'] });
      const { marked, body } = await scraped(world);
      expect([marked, body.includes(' # {')]).toEqual([[], false]);
    }
  });

  it('are not in the text format, and change no count', async () => {
    const [withTraces, without] = [await scraped(traced(SPAN)), await scraped(traced(undefined))];
    expect(withTraces.text).not.toContain(SPAN.traceId);
    const counts = (text: string) =>
      text.split('\n').filter((line) => /^pannier_\w+(_total|_bucket|_count)/.test(line));
    expect(counts(withTraces.text)).toEqual(counts(without.text));
  });
});

describe('the format of a scrape', () => {
  it.each([
    [undefined, 'prometheus'],
    ['*/*', 'prometheus'],
    ['application/openmetrics-text', 'openmetrics'],
    ['application/openmetrics-text; version=1.0.0', 'openmetrics'],
    ['application/openmetrics-text;version="1.0.0";charset=utf-8', 'openmetrics'],
    ['application/openmetrics-text;version=2.0.0', 'prometheus'],
    ['application/openmetrics-text;q=0', 'prometheus'],
    // Prometheus 2, Prometheus 3, and Prometheus whose `scrape_protocols` begin with the text format.
    [
      'application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2',
      'openmetrics',
    ],
    [
      'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,*/*;q=0.1',
      'openmetrics',
    ],
    ['text/plain;version=0.0.4;q=0.6,application/openmetrics-text;version=1.0.0;q=0.5,*/*;q=0.1', 'prometheus'],
  ])('for Accept: %s is that of %s', (accept, format) => {
    expect(preferred(accept)).toBe(format);
  });
});
