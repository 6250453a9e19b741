import { describe, expect, it } from 'vitest';
import { loadWith } from './config.helpers.ts';

describe('an output without modes', () => {
  it('has files of 0400 and no dirMode', async () => {
    const files = { f: { format: 'json', from: 'app' } };
    const config = await loadWith({ secrets: { app: { kv: 'a' } }, outputs: { o: { dir: '/o', files } } });
    const output = config.outputs.get('o');
    expect([output?.mode, output?.files.get('f')?.mode, output?.dirMode]).toEqual([0o400, undefined, undefined]);
  });
});
