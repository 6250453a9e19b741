import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { findKeptIn } from '../../src/agent/kept-certificates.ts';
import type { Backend } from '../../src/backend/backend.ts';
import type { Fact } from '../../src/base/fact.ts';
import { Secret } from '../../src/base/secret.ts';
import { plainText } from '../../src/base/value.ts';
import { keptBytes } from '../../src/deliver/file/kept.ts';
import { bytesOf, openSink, outputIn, publish } from '../deliver/file/file-sink.helpers.ts';
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
  const item = { want: wantOf('tls'), names: new Set(['tls']), backend: { source: {} } as Backend };
  for (let i = 0; i < 3; i++) expect(await find(item)).toBeUndefined();
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

it.each([
  [6, 'output'],
  [8, 'backend'],
])('of a certificate of an output and one that its backend kept at %s the later one counts', async (atMs, which) => {
  const dir = mkdtempSync(join(tmpdir(), 'pannier-kept-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const want = wantOf('tls');
  const id = createHash('sha256').update(want.id).digest('base64url');
  const fieldsOf = (key: string) => new Map([['privateKey', Secret.text(key)]]);
  const files = bytesOf({ 'tls.pem': 'output' });
  const sink = await openSink(outputIn(dir));
  await publish(sink, { 'tls.pem': 'output' });
  await sink.keep?.(keptBytes([{ id, cameWallMs: 7, fields: fieldsOf('output') }], files));
  const output = { output: { dir, name: 'shop' }, renderer: { wants: new Map([['tls', {}]]) } };
  const find = findKeptIn(
    () => ({ outputs: [output] }) as never,
    () => {},
  );
  const kept = async () => ({ fields: fieldsOf('backend'), cameWallMs: atMs });
  const backend = { source: { kept } } as unknown as Backend;
  const found = await find({ want, names: new Set(['tls']), backend });
  expect(plainText(found?.fields.get('privateKey'))).toBe(which);
});
