import { afterAll, describe, it } from 'vitest';
import type { Figures, Mode } from './case.ts';
import { CASES } from './cases/index.ts';
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

describe.concurrent('a fault', () => {
  for (const one of CASES.filter(({ onlyInFull = false }) => mode === 'full' || !onlyInFull)) {
    it(`${one.id}: ${one.fault} (${one.on})`, { timeout: 600_000 }, async ({ task, skip }) => {
      const lacks = one.lacks?.();
      if (lacks !== undefined) return skip(lacks);
      task.meta.figures =
        'play' in one ? { id: one.id, ...(await one.play(mode, shared)) } : await playCase(one, mode, shared);
      if (process.env['PANNIER_FIGURES'] === 'shown') console.log(task.meta.figures);
    });
  }
});
