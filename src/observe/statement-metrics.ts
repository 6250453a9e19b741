import type { Registry } from 'prom-client';
import { registerComputed, type Sample, seconds } from './computed-metric.ts';
import type { Observed } from './observed.ts';
import { type StatedSecret, type Statement, statementOf } from './statement.ts';

/** So many series of a metric that has one for each secret of each output. */
const MAX_SERIES = 1_000;

/** Registers the metrics of what is published, which is not always what the agent holds. */
export function registerStatements(registry: Registry, agent: Observed): void {
  let statements: ReadonlyMap<string, Statement> = new Map();
  const gauge = (name: string, help: string, labelNames: readonly string[], samples: () => Iterable<Sample>) =>
    registerComputed(registry, { name: `pannier_output_${name}`, help, type: 'gauge', labelNames, samples });
  const perOutput = (name: string, help: string, read: (statement: Statement) => number | undefined) =>
    gauge(name, help, ['output'], function* () {
      for (const [output, statement] of statements) {
        const value = read(statement);
        if (value !== undefined) yield { labels: { output }, value };
      }
    });
  const perSecret = (
    name: string,
    help: string,
    more: readonly string[],
    of: (secret: StatedSecret) => readonly [Readonly<Record<string, string>>, number] | undefined,
  ) =>
    gauge(name, `${help} At most 1000 series; of further outputs there are none.`, ['output', 'secret', ...more], () =>
      eachSecret(statements).flatMap(([output, secret]) => {
        const sample = of(secret);
        if (sample === undefined) return [];
        const [labels, value] = sample;
        return [{ labels: { output, secret: secret.name, ...labels }, value }];
      }),
    );

  gauge(
    'statement_info',
    'Always 1; the labels say from which versions of secrets, by which configuration and version the published files are.',
    ['output', 'sources', 'config', 'version'],
    function* () {
      // Metrics are read in the order of their registration, so the ones below find the statements of this scrape.
      statements = allStatements(agent);
      for (const [output, { of }] of statements) {
        const { sources = UNKNOWN, configuration: config = UNKNOWN, version = UNKNOWN } = of ?? {};
        yield { labels: { output, sources, config, version }, value: 1 };
      }
    },
  );
  perOutput(
    'published_generation',
    'Number of the generation that is published, whatever state the output is in.',
    ({ generation }) => generation,
  );
  perOutput(
    'behind',
    'Whether the agent holds a newer value of a secret than the published files have (1) or not (0); absent while it is not known of what they are made.',
    ({ isBehind }) => (isBehind === undefined ? undefined : Number(isBehind)),
  );
  perOutput(
    'oldest_success_timestamp_seconds',
    'When the value in the published files that was confirmed longest ago was last known good.',
    ({ of }) => (of?.oldestWallMs === undefined ? undefined : seconds(of.oldestWallMs)),
  );
  perSecret(
    'secret_version_info',
    "Always 1; the label is the version of the value in the published files. Absent for versions that are each agent's own.",
    ['version'],
    ({ version, isOwn }) => (isOwn ? undefined : [{ version }, 1]),
  );
  perSecret(
    'secret_last_success_timestamp_seconds',
    'When the value in the published files was last known good.',
    [],
    ({ fetchedWallMs }) => [{}, seconds(fetchedWallMs)],
  );
}

/** What an earlier process has published and not noted, or another agent that makes no notes. */
const UNKNOWN = 'unknown';

function allStatements(agent: Observed): ReadonlyMap<string, Statement> {
  const statements = new Map<string, Statement>();
  for (const output of agent.outputs.states().keys()) {
    const statement = statementOf(output, agent);
    if (statement !== undefined) statements.set(output, statement);
  }
  return statements;
}

/** The configured secrets of the outputs; an output has all of its series or none. */
function eachSecret(statements: ReadonlyMap<string, Statement>): readonly (readonly [string, StatedSecret])[] {
  const found: (readonly [string, StatedSecret])[] = [];
  for (const [output, { of }] of statements) {
    const secrets = (of?.secrets ?? []).filter(({ name }) => !name.includes(' '));
    if (found.length + secrets.length > MAX_SERIES) continue;
    for (const secret of secrets) found.push([output, secret]);
  }
  return found;
}
