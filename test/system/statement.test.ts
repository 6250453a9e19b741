import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { documentedQuery } from '../docs/queries.ts';
import { expectPromql, noPromtool, type Scraped, seriesOf } from '../examples/promtool.helpers.ts';
import { sampleOf } from '../observe/exposition.helpers.ts';
import { eventually, runAgent } from './agent.helpers.ts';
import { get, scrape } from './observe.helpers.ts';
import { baoOf, published, useScene, useWorld } from './openbao.helpers.ts';

const scene = useScene();
const world = useWorld({ openBao: { persist: true } });

interface Statement {
  readonly generation: number;
  readonly publishedAt?: string;
  readonly sources?: string;
  readonly configuration?: string;
  readonly version?: string;
  readonly behind?: boolean;
  readonly secrets?: readonly {
    name: string;
    version: string;
    fetchedAt: string;
    ageSeconds: number;
    own: boolean;
    current?: boolean;
  }[];
}

/** An agent's configuration; `output` replaces parts of the output. Each agent has a directory of its own. */
async function setUp(output: object = {}, more: object = {}) {
  const place = await scene.place();
  const dir = join(place.dir, 'out');
  const [admin, api] = [join(place.dir, 'admin.sock'), join(place.dir, 'api.sock')];
  const config = await place.config({
    backends: { bao: { ...baoOf(world()), timeout: '500ms' } },
    secrets: { app: { kv: 'secret/shop/app', refresh: '100ms' } },
    outputs: { shop: { dir, files: { password: { content: '{{app.password}}' } }, ...output } },
    admin: { socket: admin },
    api: { socket: api },
    ...more,
  });
  const statement = async (): Promise<Statement> => JSON.parse((await get(api, '/v1/outputs/shop/statement')).body);
  /** Resolves when the files are of this version, and the agent has noted it. */
  const noted = (version: string) =>
    eventually(() => expect(readFileSync(join(dir, '..statement'), 'utf8')).toContain(`"version":"${version}"`));
  return { place, dir, admin, api, config, statement, noted };
}

const versionIn = ({ secrets }: Statement) => secrets?.find(({ name }) => name === 'app')?.version;
const fetchedIn = ({ secrets }: Statement) => Date.parse(secrets?.find(({ name }) => name === 'app')?.fetchedAt ?? '');
/** The version of the secret in OpenBao. */
const newest = async () => {
  const { data } = await world().bao.api<{ metadata: { version: number; created_time: string } }>(
    'GET',
    'secret/data/shop/app',
  );
  return `${data.metadata.version} ${data.metadata.created_time}`;
};

/** Files that begin with the word bad are refused. */
const check = { check: { command: { argv: ['sh', '-c', '! grep -q ^bad "$0/password"', '{dir}'] } } };

describe('what an agent states about its files', () => {
  it('is what is in them, also while a check holds newer values back', async () => {
    await world().putSecret('app', { password: 'one' });
    const first = await newest();
    const { config, statement, admin, api, dir } = await setUp(check);
    const agent = scene.run(config);
    await agent.waitFor('output-published');
    await eventually(async () => expect(await statement()).toMatchObject({ generation: 1, behind: false }));
    const before = await statement();
    expect(before).toMatchObject({
      version: expect.any(String),
      configuration: expect.stringMatching(/^[0-9a-f]{16}$/),
    });
    await world().putSecret('app', { password: 'bad' });
    await agent.waitFor('output-failed');
    const held = await statement();
    expect([versionIn(held), held.behind, held.sources, published(dir)]).toEqual([
      first,
      true,
      before.sources,
      { password: 'one' },
    ]);
    expect(held.secrets).toMatchObject([{ name: 'app', own: false, current: false }]);
    const status = await runAgent(['status', '--json', '--socket', api]);
    expect(JSON.parse(status.stdout()).outputs[0].statement).toMatchObject({ generation: 1, behind: true });
    const families = await scrape(admin);
    expect(sampleOf(families, 'pannier_secret_version_info', { secret: 'app', version: await newest() })).toBe(1);
    const shop = { output: 'shop', secret: 'app' };
    expect(sampleOf(families, 'pannier_output_secret_version_info', { ...shop, version: first })).toBe(1);
    expect(sampleOf(families, 'pannier_output_behind', { output: 'shop' })).toBe(1);

    await world().putSecret('app', { password: 'good' });
    await agent.waitFor('output-published', { count: 2 });
    await eventually(async () => expect(await statement()).toMatchObject({ behind: false }));
    expect(versionIn(await statement())).toBe(await newest());
  });

  it('is still true after a restart while the backend is away', async () => {
    await world().putSecret('app', { password: 'one' });
    const { config, statement, noted } = await setUp();
    const first = scene.run(config);
    await first.waitFor('output-published');
    const version = await newest();
    await noted(version);
    const before = await statement();
    first.kill('SIGKILL');
    await first.ended;
    await world().bao.kill();
    try {
      const second = scene.run(config);
      await second.waitFor('login-failed');
      await eventually(async () => expect(versionIn(await statement())).toBe(version));
      const { secrets, ...after } = await statement();
      const { secrets: _, ...known } = before;
      expect(after).toEqual(known);
      expect(secrets?.[0]).not.toHaveProperty('current');
    } finally {
      await world().bao.start();
    }
  });

  it('is the earlier version after a rollback, which a later process knows as well', async () => {
    await world().putSecret('app', { password: 'one' });
    const first = await newest();
    const { config, statement, noted, api } = await setUp({ keep: 3 });
    const agent = scene.run(config);
    await agent.waitFor('output-published');
    const made = await statement();
    // Polls confirm the first version, which the files go on having.
    await eventually(async () => expect(fetchedIn(await statement())).toBeGreaterThan(fetchedIn(made)));
    const confirmed = fetchedIn(await statement());
    await world().putSecret('app', { password: 'two' });
    await agent.waitFor('output-published', { count: 2 });
    const second = await statement();
    expect((await runAgent(['rollback', 'shop', '--socket', api])).status).toBe(0);
    expect([versionIn(await statement()), (await statement()).behind]).toEqual([first, true]);
    expect(fetchedIn(await statement())).toBeGreaterThanOrEqual(confirmed);
    expect(fetchedIn(await statement())).toBeLessThan(fetchedIn(second));
    expect(Date.parse((await statement()).publishedAt ?? '')).toBeGreaterThan(Date.parse(second.publishedAt ?? ''));
    await noted(first);
    await agent.stop();
    scene.run(config);
    await eventually(async () => expect(await statement()).toMatchObject({ generation: 3, behind: true }));
    expect(versionIn(await statement())).toBe(first);
  });
});

describe('the queries of docs/metrics.md', () => {
  it('name the one agent of three whose files are older, and its secret', async ({ skip }) => {
    if (noPromtool !== undefined) skip(noPromtool);
    await world().putSecret('app', { password: 'one' });

    const strict = { command: { argv: ['sh', '-c', 'grep -q ^one "$0/password"', '{dir}'] } };
    const agents = [await setUp(check), await setUp(check), await setUp({ check: strict })];
    const running = agents.map(({ config }) => scene.run(config));
    for (const agent of running) await agent.waitFor('output-published');
    const old = await newest();
    const scraped = async (): Promise<Scraped[]> =>
      Promise.all(
        agents.map(async ({ admin }, n) => ({ instance: `pod-${n}`, families: sameConfig(await scrape(admin)) })),
      );
    await eventually(async () => expect(settled(await scraped())).toBe(true));
    const before = await scraped();
    await world().putSecret('app', { password: 'two' });
    for (const agent of running.slice(0, 2)) await agent.waitFor('output-published', { count: 2 });
    await running[2]?.waitFor('output-failed');
    await eventually(async () => expect(settled((await scraped()).slice(0, 2))).toBe(true));
    const after = await scraped();

    const laggards = documentedQuery('laggards');
    const secrets = documentedQuery('secrets');
    await expectPromql(
      seriesOf([before, before, before]),
      [laggards, secrets].map((expr) => ({ expr, samples: [] })),
    );
    // Another application may have an output and a secret of the same names, with newer versions.
    const another = seriesOf(
      [after, after, after].map((agents) => agents.slice(0, 2)),
      'another',
    );
    await expectPromql(
      [...seriesOf([before, before, before]), ...another],
      [laggards, secrets].map((expr) => ({ expr, samples: [] })),
    );
    const named = (expr: string) => `count by (instance, output) (${expr})`;
    await expectPromql(seriesOf([after, after, after]), [
      { expr: named(laggards), samples: [{ labels: '{instance="pod-2",output="shop"}', value: 2 }] },
      {
        expr: `count by (instance, output, secret) (${secrets})`,
        samples: [{ labels: '{instance="pod-2",output="shop",secret="app"}', value: 1 }],
      },
    ]);
    const info = after[2]?.families.flatMap(({ samples }) => samples) ?? [];
    const version = info.find(({ name }) => name === 'pannier_output_secret_version_info')?.labels['version'];
    expect(version).toBe(old);
  });
});

/** Whether every agent's files are what it holds, and taken up. */
function settled(scraped: readonly Scraped[]): boolean {
  return scraped.every(
    ({ families }) =>
      sampleOf(families, 'pannier_output_behind', { output: 'shop' }) === 0 &&
      sampleOf(families, 'pannier_output_state', { output: 'shop', state: 'settled' }) === 1,
  );
}

/** Agents of this test have directories of their own on one machine; agents of a fleet have one configuration. */
function sameConfig(families: Scraped['families']): Scraped['families'] {
  return families.map((family) => ({
    ...family,
    samples: family.samples.map((one) =>
      one.labels['config'] === undefined ? one : { ...one, labels: { ...one.labels, config: 'same' } },
    ),
  }));
}
