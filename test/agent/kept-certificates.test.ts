import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { findKeptIn } from '../../src/agent/kept-certificates.ts';
import type { Fact } from '../../src/base/fact.ts';
import { wantOf } from '../memory-backend.ts';

it('a ..kept that does not count is told once, with the reason and without its contents', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'pannier-kept-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  writeFileSync(join(dir, '..kept'), 'CANARY', { mode: 0o644 });
  const facts: Fact[] = [];
  const output = { output: { dir, name: 'shop' }, renderer: { wants: new Map([['tls', {}]]) } };
  const find = findKeptIn(
    () => ({ outputs: [output] }) as never,
    (fact) => void facts.push(fact),
  );
  for (let i = 0; i < 3; i++) expect(await find(wantOf('tls'), new Set(['tls']))).toBeUndefined();
  expect(facts).toEqual([
    {
      kind: 'agent-warning',
      warning: expect.objectContaining({
        code: 'CERTIFICATE_KEPT_IGNORED',
        place: 'outputs.shop',
        seen: `${dir}/..kept is ignored: others may use it (mode 0644)`,
      }),
    },
  ]);
  expect(JSON.stringify(facts)).not.toContain('CANARY');
});
