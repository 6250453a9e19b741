import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

/** Helpers only compute: they may import these files and `node:crypto`, none of which reaches out of the process. */
const MAY_IMPORT =
  /^(?:\.\/|\.\.\/(?:template|text|certificate)\/|\.\.\/\.\.\/(?:base|certificate)\/)[\w-]+\.ts$|^node:crypto$/;

describe('helpers', () => {
  it('import nothing that reaches a file, a process or the network', () => {
    const dirs = ['src/render/helpers', 'src/render/certificate'];
    const texts = dirs.flatMap((dir) =>
      readdirSync(dir).map((name) => [name, withoutTypes(readFileSync(`${dir}/${name}`, 'utf8'))] as const),
    );
    const imported = texts.flatMap(([name, text]) =>
      [...text.matchAll(/\bfrom '([^']+)'|\bimport\(\s*'([^']+)'/g)].map(
        ([, from, dynamic]) => `${name}: ${from ?? dynamic}`,
      ),
    );
    expect(imported.length).toBeGreaterThan(texts.length);
    expect(imported.filter((one) => !MAY_IMPORT.test(one.split(': ')[1] ?? ''))).toEqual([]);
    const reaching = texts.filter(([, text]) =>
      /\b(?:process|fetch|globalThis|require|eval|Function)\b[.(]/.test(text),
    );
    expect(reaching.map(([name]) => name)).toEqual([]);
  });
});

/** A type that is imported does nothing when the program runs. */
const withoutTypes = (text: string): string => text.replace(/^import type [^;]*;$/gm, '');
