import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { samplesOf, stable } from './steps.ts';
import { SHELLS, type Shell, walk } from './walk.ts';
import { WALKS } from './walks.ts';

describe.each(Object.keys(SHELLS) as Shell[])('in an interactive %s', (shell) => {
  const isMissing = spawnSync(shell, ['-c', 'true']).error !== undefined;

  it.for(WALKS)(
    'the commands of $page work, and show what it says',
    { timeout: 150_000 },
    async (options, { skip }) => {
      skip(isMissing, `${shell} is not on the PATH`);
      const { shown } = await walk(options, shell);
      expect(shown.length).toBeGreaterThan(0);
      const samples = samplesOf(readFileSync(options.page, 'utf8'));
      for (const [block, sample] of samples) expect(stable(shown[block] ?? '')).toBe(stable(sample));
    },
  );
});

it.each(WALKS.filter(({ leavesNothing }) => leavesNothing))(
  'after its last command $page has left nothing in the home directory, no root token either',
  { timeout: 150_000 },
  async (options) => {
    const { left } = await walk(options, 'bash');
    expect(left).toEqual([]);
  },
);
