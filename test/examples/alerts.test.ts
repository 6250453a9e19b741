import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { noPromtool, type Series, test } from './promtool.helpers.ts';

const FILE = resolve('examples/prometheus/alerts.yaml');

interface Rule {
  readonly alert: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

const rules: readonly Rule[] = parse(readFileSync(FILE, 'utf8')).groups.flatMap(
  ({ rules }: { rules: readonly Rule[] }) => rules,
);

/** Series over twenty minutes, a sample every 15 seconds. */
interface Case {
  readonly fires: readonly Series[];
  /** Near it, and no reason to call anybody. */
  readonly silent: readonly Series[];
  /** Labels of the alert beside its severity. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly at?: string;
}

const LABELS = { job: 'pannier', instance: 'pod-1' };
const of = (name: string, values: string, labels: object = {}): Series => {
  const all = Object.entries({ ...LABELS, ...labels }).map(([key, value]) => `${key}="${value}"`);
  return { series: `${name}{${all.join(',')}}`, values };
};
const always = (value: number) => `${value}x80`;
/** So many samples of one value, and then another one. */
const then = (first: number, samples: number, second: number) => `${first}x${samples} ${second}x${80 - samples}`;

const secret = { secret: 'app', backend: 'bao' };
const output = { output: 'shop' };
const stale = { ...secret, state: 'stale' };
const ends = (inS: number, labels: object = {}) =>
  of('pannier_secret_expiry_timestamp_seconds', always(1200 + inS), { secret: 'app', ...labels });
const requests = (status: string, values: string) =>
  of('pannier_backend_requests_total', values, { backend: 'bao', operation: 'read', status });

const CASES: Readonly<Record<string, Case>> = {
  PannierAgentGone: {
    fires: [of('up', then(1, 40, 0))],
    silent: [of('up', then(1, 70, 0))],
  },
  PannierNotReady: {
    fires: [of('pannier_health', always(0), { check: 'ready' })],
    silent: [of('pannier_health', then(0, 10, 1), { check: 'ready' }), of('pannier_health', always(0), { check: 'x' })],
    labels: { check: 'ready' },
  },
  PannierStalled: {
    fires: [of('pannier_health', always(0), { check: 'live' })],
    silent: [of('pannier_health', always(1), { check: 'live' })],
    labels: { check: 'live' },
  },
  PannierSecretExpired: {
    fires: [of('pannier_secret_state', always(1), { ...secret, state: 'expired' })],
    silent: [of('pannier_secret_state', always(1), stale)],
    labels: { ...secret, state: 'expired' },
  },
  PannierSecretStale: {
    fires: [of('pannier_secret_state', always(1), stale)],
    silent: [of('pannier_secret_state', '_x40 1x40', stale)],
    labels: stale,
  },
  PannierSecretEndsSoon: {
    fires: [ends(500), of('pannier_secret_state', always(1), stale)],
    silent: [
      ends(500),
      of('pannier_secret_state', always(1), { ...secret, state: 'fresh' }),
      ends(7200, { secret: 'db' }),
    ],
    labels: { secret: 'app' },
  },
  PannierLoginFails: {
    fires: [
      of('pannier_login_usable', always(0), { backend: 'bao' }),
      of('pannier_logins_total', '0+1x80', { backend: 'bao', result: 'failed' }),
    ],
    silent: [
      of('pannier_login_usable', always(0), { backend: 'bao' }), // no request has needed a login
      of('pannier_logins_total', always(3), { backend: 'bao', result: 'failed' }),
    ],
    labels: { backend: 'bao' },
  },
  PannierOutputFails: {
    fires: [of('pannier_output_state', always(1), { ...output, state: 'failed' })],
    silent: [of('pannier_output_state', always(1), { ...output, state: 'owed' })],
    labels: { ...output, state: 'failed' },
  },
  PannierOutputBehind: {
    fires: [of('pannier_output_behind', always(1), output), of('pannier_output_held', always(0), output)],
    silent: [
      of('pannier_output_behind', always(0), output),
      of('pannier_output_behind', '0x40 1x10 0x30', { output: 'slow' }),
    ],
    labels: output,
  },
  PannierOutputDrifts: {
    fires: [of('pannier_output_drifts_total', '0+1x80', output)],
    silent: [of('pannier_output_drifted', always(0), output), of('pannier_output_drifts_total', always(7), output)],
    labels: output,
  },
  PannierReloadOwed: {
    fires: [of('pannier_output_state', always(1), { ...output, state: 'owed' })],
    silent: [of('pannier_output_state', '_x60 1x20', { ...output, state: 'owed' })],
    labels: { ...output, state: 'owed' },
  },
  PannierBackendErrors: {
    fires: [requests('200', '0+3x160'), requests('503', '0+2x160')],
    silent: [requests('200', '0+9x160'), requests('404', '0+9x160'), requests('BACKEND_TIMEOUT', '0+1x160')],
    labels: { backend: 'bao' },
    at: '35m',
  },
  PannierFeedDown: {
    fires: [of('pannier_feed_up', always(0), { backend: 'bao' })],
    silent: [of('pannier_feed_up', '0x30 1x30', { backend: 'bao' })],
    labels: { backend: 'bao' },
  },
  PannierConfigurationRefused: {
    fires: [of('pannier_config_last_load_successful', always(0))],
    silent: [of('pannier_config_last_load_successful', always(1))],
  },
  PannierTasksCrash: {
    fires: [of('pannier_task_crashes_total', then(0, 40, 1))],
    silent: [of('pannier_task_crashes_total', always(2))],
  },
};

/** The text of a rule with the labels in their places. */
const filled = (text: string, labels: Readonly<Record<string, string>>) =>
  text.replace(/\{\{ \$labels\.(\w+) \}\}/g, (_, name: string) => labels[name] ?? '');

describe('the cases below', () => {
  it('are of all alerts, in their order', () => {
    expect(Object.keys(CASES)).toEqual(rules.map(({ alert }) => alert));
  });
});

describe.skipIf(noPromtool !== undefined)(`promtool${noPromtool === undefined ? '' : ` (${noPromtool})`}`, () => {
  it.each(rules.map((rule) => [rule.alert, rule] as const))(
    'finds that %s fires when it should, and is silent near it',
    async (name, rule) => {
      const { fires, silent, labels = {}, at = '20m' } = CASES[name] as Case;
      const all = { ...LABELS, ...labels };
      const texts = Object.entries(rule.annotations).map(([key, text]) => [key, filled(text, all)]);
      const alert = { exp_labels: { ...all, ...rule.labels }, exp_annotations: Object.fromEntries(texts) };
      const on = (series: readonly Series[], expected: readonly object[]) => ({
        interval: '15s',
        input_series: series,
        alert_rule_test: [{ eval_time: at, alertname: name, exp_alerts: expected }],
      });
      await test(on(fires, [alert]), FILE);
      await test(on(silent, []), FILE);
      // Agents of another job are none of its business.
      await test(
        on(
          fires.map(({ series, ...one }) => ({ ...one, series: series.replace('pannier"', 'x"') })),
          [],
        ),
        FILE,
      );
    },
  );
});
