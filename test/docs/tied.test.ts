import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { pages } from './fenced.ts';
import { stepsOf } from './steps.ts';
import { WALKS } from './walks.ts';

/** Pages that another test runs, block by block. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'docs/templates.md': 'test/render/docs.test.ts',
  'docs/how-to/policies.md': 'test/docs/policies.test.ts',
};

const walked = new Set(WALKS.map(({ page }) => page));

describe('commands and samples on the pages', () => {
  it.each(pages().filter((page) => ELSEWHERE[page] === undefined))('%s: each is run, or says why not', (page) => {
    const steps = stepsOf(readFileSync(page, 'utf8'));
    const untied = steps.filter(({ kind, language, note, text }) => {
      if (!['', 'sh', 'console', 'text'].includes(language) || note !== undefined) return false;
      // `npm run test:readme` runs the two commands at the top of the README.
      if (page === 'README.md' && text.startsWith('npm ci ')) return false;
      return kind === 'other' || !walked.has(page);
    });
    expect(untied.map(({ heading, text }) => `${heading}: ${text.split('\n')[0]}`)).toEqual([]);
  });

  it.each(pages())('%s has no comment after a command: an interactive zsh takes it for arguments', (page) => {
    const commands = stepsOf(readFileSync(page, 'utf8')).filter(({ language }) => language === 'sh');
    expect(commands.flatMap(({ text }) => text.split('\n').filter((line) => /(^|\s)#/.test(line)))).toEqual([]);
  });

  it('another test is named only where there is one', () => {
    const reasons = pages().flatMap((page) => stepsOf(readFileSync(page, 'utf8')).map(({ note = '' }) => note));
    const files = [...Object.values(ELSEWHERE), ...reasons.flatMap((why) => why.match(/test\/[\w./-]+\.ts/g) ?? [])];
    expect(files.length).toBeGreaterThan(4);
    for (const file of files) expect(readFileSync(file, 'utf8')).not.toBe('');
  });
});
