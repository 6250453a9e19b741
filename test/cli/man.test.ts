import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { listCommands } from '../../src/cli/command-list.ts';
import { manPage } from '../../src/cli/man.ts';
import { isHere } from '../templates/programs.helpers.ts';

const run = promisify(execFile);

it('the manual page names each command with its options, and no line of text is taken as a request', () => {
  const page = manPage('1.2.3').replaceAll('\\-', '-');
  for (const { name, options } of listCommands()) {
    expect(page).toContain(`.SS "pannier ${name} `);
    for (const { flags } of options) if (!flags.includes('--help')) expect(page).toContain(`.B ${flags.join(', ')}`);
  }
  for (const line of page.trimEnd().split('\n')) expect(line).toMatch(/^(?:\.(?:TH|SH|SS|TP|B|I) ?|[^.'])/);
});

it('the manual page is what man reads without a warning, where man is', async ({ skip }) => {
  if (!(await isHere('man', '--version'))) skip('man is not installed');
  const folder = await mkdtemp(join(tmpdir(), 'pannier-man-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'pannier.1');
  await writeFile(file, manPage('1.2.3'));
  const env = { ...process.env, MANWIDTH: '100', MANPAGER: 'cat', LC_ALL: 'C' };
  const shown = await run('man', ['--warnings=w', '-l', file], { env });
  expect(shown).toMatchObject({
    stderr: '',
    stdout: expect.stringMatching(/pannier validate \[options\] \[files\.\.\.\]/),
  });
});
