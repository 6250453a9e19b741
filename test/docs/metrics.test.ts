import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { metricsPage } from './metrics-page.ts';

describe('docs/metrics.md', () => {
  it('lists every metric as npm run docs writes it', async () => {
    const page = readFileSync('docs/metrics.md', 'utf8');
    expect(page).toBe(await metricsPage(page));
  });
});
