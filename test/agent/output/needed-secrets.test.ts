import { describe, expect, it } from 'vitest';
import { NeededSecrets } from '../../../src/agent/output/needed-secrets.ts';
import type { ComputedSecret } from '../../../src/render/render.ts';

const wants = new Set(['app']);
const secret = { backend: 'bao' } as ComputedSecret;
const waits = (...names: string[]) =>
  ({ kind: 'waits', missing: names, computed: new Map(names.map((name) => [name, secret])) }) as const;
const files = (...names: string[]) =>
  ({ kind: 'files', files: new Map(), computed: new Map(names.map((name) => [name, secret])) }) as const;

describe('the secrets that an output needs', () => {
  it('grow by each path that a render computes, and shrink when there are files without it', () => {
    const needed = new NeededSecrets(wants, 'outputs.shop');
    expect(needed.names).toEqual(['app']);
    expect([needed.update(waits('x')), needed.names]).toEqual([true, ['app', 'x']]);
    expect([needed.update(waits('y')), needed.names]).toEqual([true, ['app', 'x', 'y']]);
    expect([needed.update(waits('y')), needed.names]).toEqual([false, ['app', 'x', 'y']]);
    expect([needed.update(files('y')), needed.names]).toEqual([true, ['app', 'y']]);
    expect(needed.update(files('y'))).toBe(false);
  });

  it('may take ten rounds of new paths, and not one more', () => {
    const needed = new NeededSecrets(wants, 'outputs.shop');
    for (let i = 1; i <= 10; i++) expect(needed.update(waits(`path ${i}`))).toBe(true);
    expect(() => needed.update(waits('path 11'))).toThrow(
      expect.objectContaining({
        failure: expect.objectContaining({ code: 'RENDER_BAD_ARGUMENT', place: 'outputs.shop' }),
      }),
    );
    for (let i = 1; i <= 9; i++) needed.update(waits(`other ${i}`));
    needed.update(files('path 10'));
    for (let i = 1; i <= 10; i++) expect(needed.update(waits(`again ${i}`))).toBe(true);
  });
});
