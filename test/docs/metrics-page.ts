import type { Metric } from '../../src/observe/metrics.ts';
import { metricsOf, observedWorld } from '../observe/observed.helpers.ts';

const START = '<!-- table made by npm run docs -->';

/** docs/metrics.md with the table that the registry makes; the text above it is taken from `current`. */
export async function metricsPage(current: string): Promise<string> {
  const intro = current.slice(0, current.indexOf(START));
  const rows = (await listedMetrics()).map(
    ({ name, type, labelNames, help }) =>
      `| \`${name}\` | ${type} | ${labelNames.map((label) => `\`${label}\``).join(', ')} | ${help} |`,
  );
  return `${intro}${START}\n\n| metric | type | labels | meaning |\n| --- | --- | --- | --- |\n${rows.join('\n')}\n`;
}

/** Every metric of the registry. */
export async function listedMetrics(): Promise<readonly Metric[]> {
  using made = await metricsOf(observedWorld());
  return made.metrics.list();
}
