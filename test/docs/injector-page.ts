import { ANNOTATIONS, PREFIX } from '../../src/injector/annotations/known.ts';
import { createInjectorMetrics } from '../../src/injector/metrics/create-metrics.ts';

const MARK = '<!-- annotations -->';
const METRICS_MARK = '<!-- metrics -->';

/** docs/injector.md with the tables of the code; everything else stays as it is in `current`. */
export async function injectorPage(current: string): Promise<string> {
  const annotations = ANNOTATIONS.map(
    ({ name, value, default: standard = '', does }) => `| \`${PREFIX}${name}\` | ${value} | ${standard} | ${does} |`,
  );
  const metrics = (await listedMetrics()).map(
    ({ name, type, labelNames, help }) =>
      `| \`${name}\` | ${type} | ${labelNames.map((one) => `\`${one}\``)} | ${help} |`,
  );
  const withAnnotations = withTable(current, MARK, ['annotation', 'value', 'default', 'meaning'], annotations);
  return withTable(withAnnotations, METRICS_MARK, ['metric', 'type', 'labels', 'meaning'], metrics);
}

/** The metrics that are the injector's own, and not those of every process. */
async function listedMetrics() {
  const injector = { startedWallMs: 0, certificate: () => '', isReady: () => true };
  return (await createInjectorMetrics(injector)).list().filter(({ name }) => name.startsWith('pannier_'));
}

function withTable(current: string, mark: string, head: readonly string[], rows: readonly string[]): string {
  const table = [`| ${head.join(' | ')} |`, `|${' --- |'.repeat(head.length)}`, ...rows].join('\n');
  const start = current.indexOf(mark);
  if (start === -1) throw new Error(`docs/injector.md has no ${mark}`);
  const rest = current.slice(start + mark.length).replace(/^\n+(?:\|.*\n)*/, '');
  return `${current.slice(0, start)}${mark}\n\n${table}\n\n${rest.replace(/^\n+/, '')}`;
}
