import { spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { samplesOf, stable, stepsOf, withSamples } from './steps.ts';
import { SHELLS, type Shell, walk } from './walk.ts';

const block = (language: string, text: string) => `\`\`\`${language}\n${text}\`\`\`\n\n`;

function pageOf(...parts: readonly string[]): string {
  const page = join(mkdtempSync(join(tmpdir(), 'pannier-page-')), 'page.md');
  writeFileSync(page, `# A page\n\n${parts.join('')}`);
  return page;
}

describe.each(Object.keys(SHELLS) as Shell[])('a walk in %s', (shell) => {
  const isMissing = spawnSync(shell, ['-c', 'true']).error !== undefined;
  const noShell = `${shell} is not on the PATH`;

  it('fails when a command in the middle of a block fails and the page shows no output', async ({ skip }) => {
    skip(isMissing, noShell);
    const page = pageOf(block('sh', 'false\necho went on\n'));
    await expect(walk({ page }, shell)).rejects.toThrow(/block 1 ended the shell/);
  });

  it('writes files, runs blocks in one shell on a terminal, and shows what a reader sees', async ({ skip }) => {
    skip(isMissing, noShell);
    const page = pageOf(
      'Save this as `a.txt`:\n\n',
      block('yaml', 'name: value\n'),
      block('sh', 'cat a.txt\nsleep 60 &\nA=kept\n'),
      block('text', ''),
      '<!-- not run: it would fail -->\n',
      block('sh', 'false\n'),
      block('sh', 'kill %1; wait\necho $A\ntest -t 1 && echo a terminal\necho "$HOME"\nfalse; echo $?\n'),
      block('text', ''),
    );
    const { shown, left } = await walk({ page }, shell);
    expect(shown).toEqual(['name: value\n', 'kept\na terminal\n/home/reader\n1\n']);
    expect(left).toEqual(['a.txt']);
  });
});

it('zsh takes a comment for arguments, which pages must not depend on', async ({ skip }) => {
  skip(spawnSync('zsh', ['-c', 'true']).error !== undefined, 'zsh is not on the PATH');
  const { shown } = await walk({ page: pageOf(block('sh', 'echo one # two\n')) }, 'zsh');
  expect(shown).toEqual(['one # two\n']);
});

describe('samples', () => {
  const page = `${block('sh', 'date\n')}${block('text', 'up 3s at 10:00:00\n')}${block('sh', 'x\n')}${block('text', 'old\n')}`;

  it('are replaced when they differ, but not when only times do', () => {
    const next = withSamples(page, ['up 4m59s at 11:11:11.111\n', 'new\nlines\n']);
    expect([...samplesOf(next).values()]).toEqual(['up 3s at 10:00:00\n', 'new\nlines\n']);
    expect(stepsOf(next).map(({ kind }) => kind)).toEqual(['run', 'shown', 'run', 'shown']);
  });

  it('are compared without times, ids, widths, and the order of lines of the log', () => {
    const log = (...facts: readonly string[]) => facts.map((fact, at) => `[10:00:0${at}.5] INFO: ${fact}\n`).join('');
    expect(stable(`a   b 12ms\n${log('one', 'two')}`)).toBe(stable(`a b  1h2m\n${log('two', 'one')}`));
    const shown = ['10:00:01 one\n         Do this.\n', '10:00:02 two\n', 'the end\n'] as const;
    expect(stable(shown.join(''))).toBe(stable([shown[1], shown[0], shown[2]].join('')));
    expect(stable('generation 1')).not.toBe(stable('generation 2'));
  });
});
