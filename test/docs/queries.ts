import { readFileSync } from 'node:fs';

/** The query that docs/metrics.md has below a comment with this name. */
export function documentedQuery(name: string): string {
  const page = readFileSync('docs/metrics.md', 'utf8');
  const query = new RegExp(`<!-- query: ${name} -->\\n\\n\`\`\`promql\\n(.*?)\`\`\``, 's').exec(page)?.[1];
  if (query === undefined) throw new Error(`docs/metrics.md has no query ${name}`);
  return query;
}
