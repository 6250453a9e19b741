/**
 * Walks through a page as a reader does: in an interactive bash or zsh on a terminal, with the built `pannier` and a
 * real `bao` on the path. `steps.ts` says which blocks are run. An interactive shell differs from a script: it shows
 * and controls jobs, and zsh takes `#` for an argument.
 */
import { spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { ensureOpenBaoFolder, findFreePort } from '../servers/index.ts';
import { type Step, stepsOf } from './steps.ts';

export const SHELLS = {
  bash: { command: ['bash', '--norc', '--noprofile', '--noediting', '-i', '-s'], start: 'PS1= PS2= HISTFILE=' },
  zsh: { command: ['zsh', '-f', '-i', '-s'], start: 'PS1= PS2= HISTFILE= ; setopt no_prompt_cr no_prompt_sp' },
} as const;
export type Shell = keyof typeof SHELLS;

/** A page, and what its reader has done before. */
export interface Walk {
  readonly page: string;
  /** Another page whose blocks are run first, up to its heading `until`. */
  readonly after?: { readonly page: string; readonly until: string };
  /** Lines of the page that are not run: another test runs them. */
  readonly skips?: readonly string[];
  /** A checkout in which the reader begins; the page makes its program. Absent: `dist/` of this one is used. */
  readonly checkout?: string;
  /** The page's last block removes what the page has made. */
  readonly leavesNothing?: boolean;
}

export interface Walked {
  /** What the terminal showed for each `sh` block of the page, in order. */
  readonly shown: readonly string[];
  /** What the reader's home directory holds afterwards. */
  readonly left: readonly string[];
}

/** What the pages show as the reader's home: as long as the real one in /tmp, so that columns keep their widths. */
const READER = '/home/reader';

/** Rejects when a command of a block without a sample failed. */
export async function walk(options: Walk, shell: Shell): Promise<Walked> {
  const home = await realpath(await mkdtemp(join(tmpdir(), 'w')));
  try {
    const bin = join(home, '.bin');
    await mkdir(bin);
    if (options.checkout === undefined) await writeProgram(join(bin, 'pannier'));
    const port = String(await findFreePort());
    const here = (text: string) =>
      text
        .replace('bao server -dev ', `bao server -dev -dev-listen-address=127.0.0.1:${port} `)
        .replaceAll('8200', port);
    const { script, blocks } = scriptOf(
      await earlierSteps(options),
      stepsOf(await readFile(options.page, 'utf8')),
      options,
    );
    await writeFile(join(home, '.script'), `${SHELLS[shell].start}\n${here(script)}`);
    const path = [bin, await ensureOpenBaoFolder(), process.env['PATH'] ?? ''].join(delimiter);
    const shown = await onTerminal(join(home, '.script'), shell, options, { PATH: path, HOME: home });
    const clean = (text: string) => cleaned(text, [home, READER], [port, '8200']);
    const left = (await readdir(home)).filter((name) => name !== '.bin' && name !== '.script').sort();
    const texts = Array.from({ length: blocks }, (_, at) => {
      const [, text, status] = new RegExp(`@@${at}@@\\r?\\n(.*?)@@end (\\d+)@@`, 's').exec(shown) ?? [];
      if (text === undefined || status === undefined)
        throw new Error(`${options.page} in ${shell}: block ${at + 1} ended the shell:\n${clean(shown.slice(-3000))}`);
      return clean(text);
    });
    return { shown: texts, left };
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

async function writeProgram(path: string): Promise<void> {
  await writeFile(path, `#!/bin/sh\nexec ${process.execPath} ${resolve('dist/pannier.js')} "$@"\n`);
  await chmod(path, 0o755);
}

async function earlierSteps({ after }: Walk): Promise<readonly Step[]> {
  if (after === undefined) return [];
  const steps = stepsOf(await readFile(after.page, 'utf8'));
  const end = steps.findIndex(({ heading }) => heading === after.until);
  if (end === -1) throw new Error(`${after.page} has no block below the heading ${after.until}`);
  return steps.slice(0, end);
}

function scriptOf(earlier: readonly Step[], steps: readonly Step[], options: Walk) {
  const lines: string[] = [`cd ${options.checkout ?? ''}`];
  const skips = new Set(options.skips);
  const commands = (text: string) =>
    text
      .split('\n')
      .filter((line) => !skips.has(line))
      .join('\n');
  for (const { kind, text, note } of earlier) {
    if (kind === 'run') lines.push('set -e', commands(text), 'set +e');
    if (kind === 'file') lines.push(writing(note as string, text));
  }
  let blocks = 0;
  for (const [at, { kind, text, note }] of steps.entries()) {
    if (kind === 'file') lines.push(writing(note as string, text));
    if (kind !== 'run') continue;
    const mayFail = steps[at + 1]?.kind === 'shown';
    // The marks are not in the text of the command, which a shell may show.
    lines.push(`printf '@%s@@\\n' '@${blocks}'`, mayFail ? 'set +e' : 'set -e', commands(text));
    lines.push(`kept=$?; printf '@%s %s@@\\n' @end $kept; set +e`);
    blocks++;
  }
  return { script: `${lines.join('\n')}\n`, blocks };
}

const writing = (name: string, text: string): string => `cat > ${name} <<'END OF FILE'\n${text}END OF FILE\n`;

function onTerminal(
  script: string,
  shell: Shell,
  { checkout }: Walk,
  env: Readonly<Record<string, string>>,
): Promise<string> {
  // Installing and building the program of a checkout takes a minute or more.
  const seconds = checkout === undefined ? 120 : 900;
  return new Promise((done, failed) => {
    const child = spawn('python3', ['test/docs/terminal.py', `${seconds}`, script, ...SHELLS[shell].command], {
      env: { TERM: 'dumb', LANG: 'C.UTF-8', COLUMNS: '200', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += chunk));
    child.once('error', failed);
    child.once('close', () => done(text));
  });
}

/** What a reader sees, without escape sequences, notices about jobs, and names of this machine. */
function cleaned(text: string, ...names: readonly (readonly [string, string])[]): string {
  const plain = text
    // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal's escape sequences begin with one.
    .replaceAll(/\u001b\[[\d;]*[A-Za-z]/g, '')
    .replaceAll('\r', '')
    .replaceAll(/^\[\d+\][ +-].*\n/gm, '');
  return names.reduce((now, [here, there]) => now.replaceAll(here, there), plain);
}
