import type { ReceivedSpan } from '../otlp/decode.helpers.ts';

/** The spans of one trace as a tree, a line each: what docs/traces.md shows. */
export function treeOf(spans: readonly ReceivedSpan[]): string {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  const lines: string[] = [];
  const add = (span: ReceivedSpan, depth: number): void => {
    const told = Object.entries(span.attributes).map(([key, value]) => `${key.replace(/^pannier\./, '')}=${value}`);
    lines.push(`${'  '.repeat(depth)}${[span.name, ...told].join('  ')}`);
    for (const child of spans.filter(({ parentSpanId }) => parentSpanId === span.spanId).sort(byStart)) {
      add(child, depth + 1);
    }
  };
  const roots = spans.filter(({ parentSpanId }) => parentSpanId === undefined || !ids.has(parentSpanId));
  for (const root of [...roots].sort(byStart)) add(root, 0);
  return lines.join('\n');
}

const byStart = (a: ReceivedSpan, b: ReceivedSpan): number => Number(a.startNano - b.startNano);
