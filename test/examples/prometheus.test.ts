import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { listedMetrics } from '../docs/metrics-page.ts';
import { npmPackage } from '../render/formats/installed.helpers.ts';
import { isHere, run, withPaths } from '../templates/programs.helpers.ts';
import { manifests } from './configurations.ts';

/** A query of a rule or a panel. */
interface Query {
  /** The name of the rule, or the title of the panel. */
  readonly where: string;
  readonly expr: string;
}

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: Record<string, string>;
  readonly annotations: Record<string, string>;
}

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string; readonly refId: string }[];
}

interface Node {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly type: { readonly isError: boolean };
}

const alerts = parse(readFileSync('examples/prometheus/alerts.yaml', 'utf8'));
const rules: readonly Rule[] = alerts.groups.flatMap(({ rules }: { rules: Rule[] }) => rules);
const dashboard = JSON.parse(readFileSync('examples/prometheus/dashboard.json', 'utf8'));
const panels: readonly Panel[] = dashboard.panels;

const queries: readonly Query[] = [
  ...rules.map(({ alert, expr }) => ({ where: alert, expr })),
  ...panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ where: title, expr: filled(expr) }))),
];

/** Labels that every series has. */
const COMMON = ['job', 'instance', 'le'];

describe('the dashboard and the alert rules', () => {
  let nodesOf: (expr: string) => readonly Node[];
  let labelsOf: ReadonlyMap<string, readonly string[]>;

  beforeAll(async () => {
    // The grammar of the query editor of Prometheus.
    const installed = await npmPackage('@prometheus-io/lezer-promql', '0.315.0');
    const require = createRequire(join(installed, 'node_modules', 'x.js'));
    const { parser } = require('@prometheus-io/lezer-promql');
    nodesOf = (expr) => {
      const nodes: Node[] = [];
      parser.parse(expr).iterate({
        enter: ({ name, from, to, type }: Node) => void nodes.push({ name, from, to, type }),
      });
      return nodes;
    };
    const series = (await listedMetrics()).flatMap(({ name, type, labelNames }) =>
      (type === 'histogram' ? ['_bucket', '_sum', '_count'] : ['']).map(
        (end) => [`${name}${end}`, labelNames] as const,
      ),
    );
    labelsOf = new Map([...series, ['up', []] as const]);
  }, 300_000);

  it('exist', () => {
    expect([rules.length > 8, panels.length > 20, queries.length > 40]).toEqual([true, true, true]);
  });

  it.each(queries.map(({ where, expr }) => [where, expr]))('%s asks for metrics that exist: %s', (_, expr) => {
    const nodes = nodesOf(expr);
    const text = ({ from, to }: Node) => expr.slice(from, to);
    expect(nodes.filter(({ type }) => type.isError)).toEqual([]);
    const names = nodes.filter(({ name }) => name === 'Identifier').map(text);
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) expect([...labelsOf.keys()]).toContain(name);
    const known = [...COMMON, ...names.flatMap((name) => labelsOf.get(name) ?? [])];
    for (const label of nodes.filter(({ name }) => name === 'LabelName').map(text)) expect(known).toContain(label);
  });

  it('compare labels with values that they can have', () => {
    const words: Record<string, readonly string[]> = {
      state: ['fresh', 'stale', 'expired', 'absent', 'failed', 'owed', 'settled', 'waiting', 'dead|logging-in'],
      check: ['startup', 'ready', 'live'],
      result: ['failed'],
    };
    for (const { expr } of queries) {
      for (const [, label = '', word = ''] of expr.matchAll(/(state|check|result)(?:=~|!=|=)"([^"]*)"/g)) {
        expect(words[label]).toContain(word);
      }
    }
  });

  it('each alert has a unique name, a severity, and a text whose labels its query gives', () => {
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
    for (const { alert, expr, labels, annotations, for: lasts = '0s' } of rules) {
      expect([alert, lasts]).toEqual([expect.stringMatching(/^Pannier[A-Z]/), expect.stringMatching(/^\d+[smh]$/)]);
      expect(['critical', 'warning']).toContain(labels['severity']);
      const given = [...COMMON, ...(labelsOf.get(/(?:pannier\w+|up)/.exec(expr)?.[0] ?? '') ?? [])];
      for (const [, label] of Object.values(annotations)
        .join(' ')
        .matchAll(/\$labels\.(\w+)/g)) {
        expect(given).toContain(label);
      }
    }
  });

  it('the panels have unique ids and do not overlap', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const taken = new Set<string>();
    for (const { gridPos } of panels) {
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          const cell = `${x} ${y}`;
          expect(taken.has(cell)).toBe(false);
          taken.add(cell);
        }
      }
    }
  });
});

describe('the scrape configuration', () => {
  it('finds every pod of the manifests whose agent has an admin listener, and no other', () => {
    const { scrape_configs: jobs } = parse(readFileSync('examples/prometheus/prometheus.yaml', 'utf8'));
    const relabel: Record<string, string>[] = jobs[0].relabel_configs;
    const port = relabel.map(({ replacement }) => /^\$1:(\d+)$/.exec(replacement ?? '')?.[1]).find(Boolean);
    const kept = relabel.find(({ action }) => action === 'keep') as { source_labels: unknown; regex?: string };
    const found: string[] = [];
    for (const [file, objects] of manifests()) {
      const text = JSON.stringify(objects.filter(({ kind }) => kind === 'ConfigMap'));
      const listens = [...text.matchAll(/admin: \{ listen: \\+"0\.0\.0\.0:(\d+)/g)].map(([, at]) => at);
      for (const { spec } of objects) {
        const annotations = annotationsOf(spec);
        if (annotations === undefined) continue;
        // https://prometheus.io/docs/prometheus/latest/configuration/configuration/#pod
        const labels = Object.entries(annotations).map(([name, value]) => [
          `__meta_kubernetes_pod_annotation_${name.replace(/[^a-zA-Z0-9_]/g, '_')}`,
          value,
        ]);
        const isKept = labels.some(([label, value]) => String(kept.source_labels) === label && value === kept.regex);
        expect([file, isKept, listens]).toEqual([file, listens.length > 0, listens.length > 0 ? [port] : []]);
        if (isKept) found.push(file);
      }
    }
    expect(found.length).toBeGreaterThan(5);
  });
});

describe('promtool', () => {
  it('accepts the rules and the scrape configuration', async ({ skip }) => {
    if (!(await isHere('promtool', '--version'))) skip('promtool is not on PATH');
    const { stdout } = await run('promtool', ['check', 'rules', 'examples/prometheus/alerts.yaml']);
    expect(stdout).toContain(`SUCCESS: ${rules.length} rules found`);
    const config = parse(readFileSync('examples/prometheus/prometheus.yaml', 'utf8'));
    // Debian's promtool is built without the discovery of Kubernetes. The rest of the configuration is checked.
    for (const job of config.scrape_configs) {
      expect(job.kubernetes_sd_configs).toEqual([{ role: 'pod' }]);
      delete job.kubernetes_sd_configs;
    }
    config.rule_files = [resolve('examples/prometheus/alerts.yaml')];
    await withPaths([stringify(config)], async ([path = '']) => {
      expect((await run('promtool', ['check', 'config', path])).stdout).toContain('SUCCESS');
    });
  });
});

/** The annotations of the pods of a Deployment or a Job; undefined for an object that makes no pods. */
function annotationsOf(spec: unknown): Readonly<Record<string, string>> | undefined {
  const { template } = (spec ?? {}) as { template?: { metadata?: { annotations?: Record<string, string> } } };
  return template === undefined ? undefined : (template.metadata?.annotations ?? {});
}

/** A query as Prometheus gets it: with values for the variables of Grafana. */
function filled(expr: string): string {
  return expr.replaceAll('$__rate_interval', '1m').replace(/\$(job|instance)/g, '.+');
}
