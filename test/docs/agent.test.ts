import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

describe('docs/agent.md', () => {
  it('says that what must match belongs in one file', () => {
    const page = readFileSync('docs/agent.md', 'utf8').replaceAll(/\s+/g, ' ');
    expect(page).toMatch(
      /Two files opened by their own paths, .* may be of two generations: what must match .* belongs in one file/,
    );
  });
});
