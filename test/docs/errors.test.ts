import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { codeTable } from '../../src/base/codes.ts';
import { errorsPage } from './errors-page.ts';

describe('docs/errors.md', () => {
  it('lists every code as npm run docs writes it', () => {
    const page = readFileSync('docs/errors.md', 'utf8');
    expect(page).toBe(errorsPage(page));
  });

  it('every code is used somewhere in src', () => {
    const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
    const text = files.filter((name) => name !== 'base/codes.ts').map((name) => readFileSync(`src/${name}`, 'utf8'));
    const unused = Object.keys(codeTable()).filter((code) => !text.some((one) => one.includes(code)));
    expect(unused).toEqual([]);
  });
});
