import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Shell } from '../../src/cli/choice.ts';
import { listCommands } from '../../src/cli/command-list.ts';
import { completionScript } from '../../src/cli/completion.ts';
import { isHere } from '../templates/programs.helpers.ts';

const run = promisify(execFile);
const names = listCommands().map(({ name }) => name);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pannier-completion-'));
  for (const shell of ['bash', 'zsh', 'fish'] as const)
    await writeFile(join(folder, shell), await completionScript(shell));
  await writeFile(join(folder, 'my shop.yaml'), '');
});
afterAll(() => rm(folder, { recursive: true }));

/** What bash offers for the last word of a command line. */
async function offered(...words: readonly string[]): Promise<string[]> {
  const script = `
    source "$0"
    COMP_WORDS=("$@")
    COMP_CWORD=$(($# - 1))
    _pannier
    printf '%s\\n' "\${COMPREPLY[@]}"`;
  const args = ['--norc', '-c', script, join(folder, 'bash'), 'pannier', ...words];
  const { stdout, stderr } = await run('bash', args, { cwd: folder });
  expect(stderr).toBe('');
  return stdout.split('\n').filter((line) => line !== '');
}

describe('completion in bash', () => {
  it('offers the commands, and those that begin so', async () => {
    expect(await offered('')).toEqual([...names, 'help']);
    expect(await offered('re')).toEqual(['render', 'resume']);
    expect(await offered('--v')).toEqual(['--version']);
  });

  it('offers the options of each command', async () => {
    for (const { name, options } of listCommands()) {
      const long = options.flatMap(({ flags }) => flags.filter((flag) => flag.startsWith('--')));
      expect(await offered(name, '--'), name).toEqual(long);
    }
    expect(await offered('-c', 'a.yaml', 'init', '--t')).toEqual(['--timeout']);
  });

  it('offers what an argument can be, and the keys of the configuration', async () => {
    expect(await offered('probe', '')).toEqual(['startup', 'ready', 'live']);
    expect(await offered('completion', 'z')).toEqual(['zsh']);
    expect(await offered('explain', 'outputs.NAME.reload[].s')).toEqual(
      ['', '.name', '.pidFile', '.process', '.all', '.child'].map((end) => `outputs.NAME.reload[].signal${end}`),
    );
  });

  it('completes a key behind a name of the configuration', async () => {
    expect(await offered('explain', 'secrets.app.kv')).toEqual(['secrets.app.kv', 'secrets.app.kvVersion']);
    expect(await offered('explain', 'secrets.NAME.kv')).toEqual(['secrets.NAME.kv', 'secrets.NAME.kvVersion']);
    expect(await offered('explain', 'outputs.my-shop.dirM')).toEqual(['outputs.my-shop.dirMode']);
  });

  it('offers files where files are named, and nothing where it cannot know', async () => {
    expect(await offered('init', '-c', 'my')).toEqual(['my shop.yaml']);
    expect(await offered('validate', 'my')).toEqual(['my shop.yaml']);
    expect(await offered('init', '--timeout', '')).toEqual([]);
    expect(await offered('exec', '--', 'my')).toEqual([]);
  });
});

describe('the scripts', () => {
  it.each(['bash', 'zsh', 'fish'] as const)('for %s name every command', async (shell: Shell) => {
    const text = await completionScript(shell);
    for (const name of names) expect(text).toMatch(new RegExp(`\\b${name}\\b`));
  });

  it.for([
    ['bash', '-n'],
    ['zsh', '-n'],
    ['fish', '--no-execute'],
  ] as const)('for %s are what that shell can read', async ([shell, readOnly], { skip }) => {
    if (!(await isHere(shell, '-c', 'true'))) skip(`${shell} is not installed`);
    expect(await run(shell, [readOnly, join(folder, shell)])).toEqual({ stdout: '', stderr: '' });
  });

  it('zsh finds the function for pannier', async ({ skip }) => {
    if (!(await isHere('zsh', '-c', 'true'))) skip('zsh is not installed');
    const script = `
      autoload -Uz compinit && compinit -D -u
      source "$0"
      [[ \${_comps[pannier]} == _pannier ]] && print loaded`;
    expect((await run('zsh', ['-f', '-c', script, join(folder, 'zsh')])).stdout).toBe('loaded\n');
  });

  it('fish offers the commands and the options', async ({ skip }) => {
    if (!(await isHere('fish', '-c', 'true'))) skip('fish is not installed');
    const offers = async (line: string) => {
      const script = `source ${join(folder, 'fish')}; complete -C ${JSON.stringify(line)}`;
      const { stdout } = await run('fish', ['--no-config', '-c', script], { cwd: folder });
      return stdout.split('\n').map((one) => one.split('\t')[0]);
    };
    expect(await offers('pannier re')).toContain('render');
    expect(await offers('pannier init --ti')).toContain('--timeout');
    expect(await offers('pannier probe r')).toContain('ready');
  });
});
