/** Runs promtool, which evaluates PromQL without a server. */
import { stringify } from 'yaml';
import type { Family } from '../observe/exposition.helpers.ts';
import { isHere, run, withPaths } from '../templates/programs.helpers.ts';

/** A series over time as promtool's tests write it: `_` is no sample, `0+1x3` counts up. */
export interface Series {
  readonly series: string;
  readonly values: string;
}

export const noPromtool: string | undefined = (await isHere('promtool', '--version'))
  ? undefined
  : 'promtool is not on PATH (Debian: the package prometheus)';

/** What one scrape of one agent brought. */
export interface Scraped {
  readonly instance: string;
  readonly families: readonly Family[];
}

const stepS = 15;

/** @param scrapes one after the other, 15 seconds apart: what all instances said at that time. */
export function seriesOf(scrapes: readonly (readonly Scraped[])[], job = 'pannier'): readonly Series[] {
  const values = new Map<string, string[]>();
  for (const [index, at] of scrapes.entries()) {
    for (const { instance, families } of at) {
      for (const { name, labels, value } of families.flatMap(({ samples }) => samples)) {
        const all = Object.entries({ job, instance, ...labels }).map(([key, text]) => `${key}=${JSON.stringify(text)}`);
        const series = `${name}{${all.join(',')}}`;
        const seen = values.get(series) ?? scrapes.map(() => '_');
        seen[index] = String(value);
        values.set(series, seen);
      }
    }
  }
  return [...values].map(([series, seen]) => ({
    series,
    // A series that ends is stale at once, as it is in Prometheus.
    values: seen.map((value, index) => (value === '_' && (seen[index - 1] ?? '_') !== '_' ? 'stale' : value)).join(' '),
  }));
}

export interface Expected {
  readonly expr: string;
  readonly samples: readonly { readonly labels: string; readonly value: number }[];
}

/** Fails with what promtool says of each expression whose result is another one. */
export async function expectPromql(
  series: readonly Series[],
  expected: readonly Expected[],
  atS = stepS * 2,
): Promise<void> {
  await test({
    interval: `${stepS}s`,
    input_series: series,
    promql_expr_test: expected.map(({ expr, samples }) => ({ expr, eval_time: `${atS}s`, exp_samples: samples })),
  });
}

/** One run of `promtool test rules`. @param ruleFile absolute path of the rules; absent: none. */
export async function test(one: object, ruleFile?: string): Promise<void> {
  const rules = ruleFile === undefined ? [] : [ruleFile];
  const text = stringify({ rule_files: rules, evaluation_interval: `${stepS}s`, tests: [one] }, { lineWidth: 0 });
  await withPaths([text], async ([path = '']) => {
    await run('promtool', ['test', 'rules', path]).catch((error: { stdout?: string; stderr?: string }) => {
      throw new Error(`${error.stdout ?? ''}${error.stderr ?? error}`);
    });
  });
}
