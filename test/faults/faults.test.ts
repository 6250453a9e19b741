import { afterAll, describe, it, type TestContext } from 'vitest';
import type { FaultCase, Figures, Mode, PlayedCase } from './case.ts';
import { CASES } from './cases/index.ts';
import { whyNot } from './needs.ts';
import { playCase } from './run-case.ts';
import { SharedServers } from './scene.ts';

declare module 'vitest' {
  interface TaskMeta {
    /** The row of docs/reliability.md that this test measured. */
    figures?: Figures;
  }
}

/** `npm run test:faults` sets it to `full`. */
const mode = (process.env['PANNIER_FAULTS'] ?? 'short') as Mode;
const shared = new SharedServers();
afterAll(() => shared[Symbol.asyncDispose]());

const cases = CASES.filter(({ onlyInFull = false }) => mode === 'full' || !onlyInFull);
const [mounting = [], others = []] = [true, false].map((is) => cases.filter(({ needs }) => (needs === 'mount') === is));

const OPTIONS = { timeout: 600_000 };
const titleOf = ({ id, fault, on }: FaultCase | PlayedCase) => `${id}: ${fault} (${on})`;

const played = (one: FaultCase | PlayedCase) => async (context: TestContext) => {
  const why = whyNot(one.needs);
  if (why !== undefined) return context.skip(why);
  const figures = 'play' in one ? { id: one.id, ...(await one.play(mode, shared)) } : await playCase(one, mode, shared);
  context.task.meta.figures = figures;
  if (process.env['PANNIER_FIGURES'] === 'shown') console.log(figures);
};

describe.concurrent('a fault', () => {
  for (const one of others) {
    it(`${titleOf(one)}`, OPTIONS, played(one));
  }
});

describe.concurrent('a fault that is made by mounting', () => {
  for (const one of mounting) {
    it(`${titleOf(one)}`, OPTIONS, played(one));
  }
});
