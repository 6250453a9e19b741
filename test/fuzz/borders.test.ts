import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fuzz } from './border.ts';
import { BORDERS } from './borders/index.ts';

/** The same inputs each time; `npm run fuzz` takes others, and many more. */
const SEED = 20_261_130;
const SHARE = 0.012;

/** Those that start the built agent are tried in test/system/random-requests.test.ts. */
const inProcess = BORDERS.filter(({ isSystem }) => isSystem !== true);

describe('inputs that nobody meant', () => {
  it.each(inProcess.map((border) => [border.name, border] as const))(
    'over %s end in no crash, no hang and no value, and every failure says where and what to do',
    async (_, border) => {
      const inputs = Math.ceil(border.share * SHARE);
      const { finding, ...done } = await fuzz(border, SEED, inputs);
      expect(finding, `seed ${SEED}`).toBeUndefined();
      expect(done.inputs).toBe(inputs);
    },
    120_000,
  );

  it('are 100,000 at least in the whole run, which docs/security.md tells of', () => {
    expect(BORDERS.reduce((sum, { share }) => sum + share, 0)).toBeGreaterThanOrEqual(100_000);
    const page = readFileSync('docs/security.md', 'utf8');
    for (const { name } of BORDERS) expect(page).toContain(`| ${name} |`);
  });
});
