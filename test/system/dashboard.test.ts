import { spawn } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { expectPromql, noPromtool, type Scraped, seriesOf } from '../examples/promtool.helpers.ts';
import { type Family, readExposition, sampleOf } from '../observe/exposition.helpers.ts';
import { eventually } from './agent.helpers.ts';
import { get, scrape } from './observe.helpers.ts';
import { baoOf, useScene, useWorld } from './openbao.helpers.ts';

const scene = useScene();
const world = useWorld({ openBao: { persist: true } });

interface Panel {
  readonly title: string;
  readonly targets?: readonly { readonly expr: string }[];
}

const dashboard: { readonly panels: readonly Panel[] } = JSON.parse(
  readFileSync('examples/prometheus/dashboard.json', 'utf8'),
);
const panels = dashboard.panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => [title, expr] as const));
const rules: readonly string[] = parse(readFileSync(resolve('examples/prometheus/alerts.yaml'), 'utf8')).groups.flatMap(
  ({ rules }: { rules: readonly { expr: string }[] }) => rules.map(({ expr }) => expr),
);

/** A query as Grafana sends it. */
const filled = (expr: string) => expr.replaceAll('$__rate_interval', '1m').replace(/\$(job|instance)/g, '.+');

/** What an agent exposes at a time when something is not well, one scrape after the other. */
let scrapes: readonly Scraped[][] = [];
let texts: { readonly text: string; readonly open: string };

describe('an agent to which everything happens', () => {
  beforeAll(async () => {
    const { bao } = world();
    await world().putSecret('app', { password: 'one' });
    const place = await scene.place();
    const [admin, dir, go] = ['admin.sock', 'out', 'go'].map((name) => join(place.dir, name)) as [
      string,
      string,
      string,
    ];
    const taken: Scraped[][] = [];
    const take = async () => void taken.push([{ instance: 'pod-0', families: await scrape(admin) }]);
    const until = async (what: string, labels: object, value = 1) =>
      eventually(async () => expect([what, sampleOf(await scrape(admin), what, { ...labels })]).toEqual([what, value]));
    const parts = {
      backends: {
        bao: { ...baoOf(world()), timeout: '500ms', events: { auditFile: join(bao.dir, 'audit.log') } },
      },
      secrets: {
        app: { kv: 'secret/shop/app', refresh: '200ms' },
        none: { kv: 'secret/shop/none', optional: true },
        tls: { certificate: { issuer: 'pki', role: 'shop', commonName: 'shop.svc', ttl: '24h' } },
      },
      outputs: {
        shop: {
          dir,
          keep: 2,
          files: {
            password: { content: '{{app.password}}' },
            'tls.crt': { content: '{{tls.certificate}}{{#if none}}{{none.x}}{{/if}}' },
          },
          reload: [{ command: { argv: ['test', '-e', go] } }],
          reloadOnFirst: true,
        },
        broken: { dir: join(place.dir, 'broken'), files: { f: { content: '{{app.missing}}' } } },
      },
      admin: { socket: admin },
    };
    const config = await place.config(parts);
    await bao.kill();
    const agent = scene.run(config);
    await agent.waitFor('login-failed');
    await take();
    await bao.start();
    await agent.waitFor('reload-failed');
    await take();
    await take();
    writeFileSync(go, '');
    await until('pannier_output_state', { output: 'shop', state: 'settled' });
    await take();
    await world().putSecret('app', { password: 'two' });
    await agent.waitFor('output-published', { count: 2 });
    await until('pannier_output_state', { output: 'shop', state: 'settled' });
    chmodSync(join(dir, 'password'), 0o600);
    writeFileSync(join(dir, 'password'), 'someone else');
    await agent.waitFor('output-drifted');
    await agent.waitFor('output-published', { count: 3 });
    await place.config({ ...parts, outputs: 7 });
    agent.kill('SIGHUP');
    await agent.waitFor('config-rejected');
    await take();
    await take();
    scrapes = taken;
    const accept = 'application/openmetrics-text; version=1.0.0';
    texts = { text: (await get(admin, '/metrics')).body, open: (await get(admin, '/metrics', { accept })).body };
    expect(existsSync(go)).toBe(true);
  }, 120_000);

  it('shows something in every panel of the dashboard', async ({ skip }) => {
    if (noPromtool !== undefined) skip(noPromtool);
    expect(panels.length).toBeGreaterThan(25);
    // A number at some time of the run: what is no number is not shown.
    const hasSome = (expr: string) => `max_over_time((count((${filled(expr)}) >= -Inf))[5m:15s]) > bool 0`;
    await expectPromql(
      seriesOf(scrapes),
      panels.map(([, expr]) => ({ expr: hasSome(expr), samples: [{ labels: '{}', value: 1 }] })),
      (scrapes.length - 1) * 15,
    );
    const none = { expr: hasSome('pannier_nothing'), samples: [{ labels: '{}', value: 1 }] };
    await expect(expectPromql(seriesOf(scrapes), [none])).rejects.toThrow('pannier_nothing');
  });

  it('has every series that a rule or a panel selects, with the labels that it compares', () => {
    const seen = new Map<string, Set<string>>([['up', new Set()]]);
    for (const { name, labels } of scrapes.flat().flatMap(({ families }) => families.flatMap(samplesOf))) {
      seen.set(name, new Set([...(seen.get(name) ?? []), ...Object.keys(labels)]));
    }
    const selectors = [...panels.map(([, expr]) => expr), ...rules].flatMap((expr) => [
      ...filled(expr).matchAll(/\b((?:pannier|process|nodejs)_\w+|up)\b(?:\{([^}]*)\})?/g),
    ]);
    expect(selectors.length).toBeGreaterThan(50);
    for (const [selector, name = '', matchers = ''] of selectors) {
      const labels = [...matchers.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label = '']) => label);
      const missing = labels.filter((label) => !['job', 'instance'].includes(label) && !seen.get(name)?.has(label));
      expect([selector, seen.has(name), missing]).toEqual([selector, true, []]);
    }
  });

  it('passes the rules of Prometheus for names, help and types', async ({ skip }) => {
    if (noPromtool !== undefined) skip(noPromtool);
    const { status, output } = await checkMetrics(texts.text);
    expect([output, status]).toEqual(['', 0]);
  });

  it('says the same in OpenMetrics, which the parser of Prometheus takes', async () => {
    expect(texts.open.endsWith('\n# EOF\n')).toBe(true);
    const [text, open] = await Promise.all([
      readExposition(texts.text, 'prometheus'),
      readExposition(texts.open, 'openmetrics'),
    ]);
    const namesOf = (families: readonly Family[]) =>
      [...new Set(families.flatMap(samplesOf).map(({ name }) => name))].sort();
    expect(namesOf(open)).toEqual(namesOf(text));
    const counters = open.filter(({ type }) => type === 'counter').flatMap(samplesOf);
    expect(counters.length).toBeGreaterThan(20);
    expect(counters.filter(({ name }) => !name.endsWith('_total'))).toEqual([]);
  });
});

const samplesOf = ({ samples }: Family) => samples;

function checkMetrics(text: string): Promise<{ readonly status: number | null; readonly output: string }> {
  return new Promise((resolve, reject) => {
    const promtool = spawn('promtool', ['check', 'metrics'], { stdio: ['pipe', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [promtool.stdout, promtool.stderr]) stream.on('data', (chunk) => (output += chunk));
    promtool.once('error', reject);
    promtool.once('close', (status) => resolve({ status, output }));
    promtool.stdin.end(text);
  });
}
