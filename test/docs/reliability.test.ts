import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CASES } from '../faults/cases/index.ts';
import { readFigures } from '../faults/figures.ts';
import { reliabilityPage } from './reliability-page.ts';

describe('docs/reliability.md', () => {
  it('has the figures of the last full run of the fault suite, as that run writes them', async () => {
    expect(readFileSync('docs/reliability.md', 'utf8')).toBe(reliabilityPage(await readFigures()));
  });

  it('has the cases that npm test plays, each once, and each with figures', async () => {
    const { cases, soak } = await readFigures();
    const ids = CASES.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(Object.keys(cases).sort(), 'npm run test:faults writes them').toEqual([...ids].sort());
    for (const row of Object.values(cases)) expect(Object.values(row)).not.toContain('');
    expect(soak).toMatchObject({ missed: 0, mixed: 0 });
  });
});
