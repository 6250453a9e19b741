import { describe, expect, it } from 'vitest';
import { runAgent } from './agent.helpers.ts';

describe('pannier demo', () => {
  it('runs all its steps on the embedded backend, the first command of the README', async () => {
    const demo = await runAgent(['demo']);
    expect([demo.status, demo.stderr()]).toEqual([0, '']);
    expect(demo.stdout()).toMatch(
      /told to reload: I log in as shop with password spring-has-come[\s\S]*\n9\. [\s\S]*Done\.\n$/,
    );
  });
});
