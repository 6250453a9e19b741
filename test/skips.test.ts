import { globSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { titlesOf } from './promises/titles.ts';
import { ALLOWED, mayBeSkipped } from './skips.ts';

describe('a skip in CI', () => {
  it('is an error, except for tests that need something that no package provides', () => {
    expect(mayBeSkipped('test/templates/keys.test.ts', 'builtin:nginx-tls is taken by nginx')).toBe(
      process.getuid?.() !== 0,
    );
    expect(mayBeSkipped('test/system/signals.test.ts', 'an older Node one line says which is needed')).toBe(true);
  });

  it.each(ALLOWED)('is allowed only for a test that exists: $file $title', ({ file, title }) => {
    const files = globSync('test/**/*.test.ts').filter((path) => path.startsWith(file));
    const titles = files.flatMap((path) => titlesOf(readFileSync(path, 'utf8')));
    expect(titles.filter((one) => one.includes(title)).length).toBeGreaterThan(0);
  });
});
