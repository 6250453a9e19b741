import { describe, expect, it } from 'vitest';
import { fuzz } from '../fuzz/border.ts';
import { BORDERS } from '../fuzz/borders/index.ts';

/** The same inputs each time; `npm run fuzz` takes others, and many more. */
const SEED = 20_261_130;
const SHARE = 0.05;

describe('bytes that nobody meant', () => {
  it.each(BORDERS.filter(({ isSystem }) => isSystem === true).map((border) => [border.name, border] as const))(
    'as %s neither end the agent nor bring out what it hides',
    async (_, border) => {
      const inputs = Math.ceil(border.share * SHARE);
      const { finding, ...done } = await fuzz(border, SEED, inputs);
      expect(finding, `seed ${SEED}`).toBeUndefined();
      expect(done.inputs).toBe(inputs);
    },
    120_000,
  );
});
