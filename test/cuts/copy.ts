import { execFileSync, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { TestName } from '../promises/promise.ts';

/** A copy of the work tree in which code may be broken. */
export interface Copy extends AsyncDisposable {
  readonly dir: string;
  /** Changes a file; answers how to undo it. */
  change(file: string, by: (text: string) => string): () => void;
}

/** What git knows and what is new, with node_modules and the test servers of the tree itself. */
export async function copyTree(): Promise<Copy> {
  const dir = mkdtempSync(join(tmpdir(), 'pannier-cuts-'));
  const which = ['--cached', '--others', '--exclude-standard'];
  const listed = execFileSync('git', ['ls-files', '-z', ...which], { encoding: 'utf8' });
  for (const file of listed.split('\0').filter((name) => name !== '' && existsSync(name))) {
    mkdirSync(join(dir, dirname(file)), { recursive: true });
    cpSync(file, join(dir, file));
  }
  for (const shared of ['node_modules', '.cache']) {
    mkdirSync(shared, { recursive: true });
    symlinkSync(resolve(shared), join(dir, shared));
  }
  return {
    dir,
    change(file, by) {
      const path = join(dir, file);
      const before = readFileSync(path, 'utf8');
      writeFileSync(path, by(before));
      return () => writeFileSync(path, before);
    },
    [Symbol.asyncDispose]: async () => rmSync(dir, { recursive: true, force: true }),
  };
}

export interface Ran {
  readonly passed: number;
  /** Full names. */
  readonly failed: readonly string[];
  /** The end of what it printed. */
  readonly log: string;
}

/** A test that hangs has noticed something, too. */
const MAX_MS = 240_000;
const KILLED = 'killed: it took too long';

/** Runs these tests of one file in the copy. What starts the built agent gets one that is built there. */
export async function runTests({ dir }: Copy, file: string, tests: readonly TestName[]): Promise<Ran> {
  if (file.startsWith('test/system/')) {
    const built = await run(dir, ['scripts/build.ts']);
    if (built.status !== 0) return { passed: 0, failed: [], log: built.log };
  }
  const report = join(dir, 'report.json');
  rmSync(report, { force: true });
  const pattern = [...new Set(tests.map(patternOf))].join('|');
  const vitest = ['node_modules/vitest/vitest.mjs', 'run', file, '-t', pattern];
  const { log } = await run(dir, [...vitest, '--reporter=json', `--outputFile=${report}`]);
  const hung = { passed: 0, failed: log.endsWith(KILLED) ? [KILLED] : [] };
  return { ...(readReport(report) ?? hung), log: log.slice(-3_000) };
}

/** `%s` and the like stand for anything, the first of them for the row that is meant. */
function patternOf({ title, row }: TestName): string {
  const [first = '', ...more] = title.split(/%[a-z#]|\$\w+/).map(escaped);
  if (more.length === 0) return `^${first}$`;
  const meant = row === undefined ? '.*' : `.*${escaped(row)}.*`;
  return `^${first}${meant}${more.join('.*')}$`;
}

/** vitest puts ` > ` between the titles of a name, where ours have a space. */
const escaped = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&').replaceAll(' ', ' (?:> )?');

interface Report {
  readonly testResults: readonly { readonly assertionResults: readonly { status: string; fullName: string }[] }[];
}

function readReport(path: string): Pick<Ran, 'passed' | 'failed'> | undefined {
  if (!existsSync(path)) return undefined;
  const { testResults } = JSON.parse(readFileSync(path, 'utf8')) as Report;
  const results = testResults.flatMap(({ assertionResults }) => assertionResults);
  return {
    passed: results.filter(({ status }) => status === 'passed').length,
    failed: results.filter(({ status }) => status === 'failed').map(({ fullName }) => fullName),
  };
}

/** Node with these arguments, and all that it starts, for `MAX_MS` at most. */
function run(cwd: string, args: readonly string[]): Promise<{ readonly status: number | null; readonly log: string }> {
  return new Promise((done, failed) => {
    const child = spawn(process.execPath, args, { cwd, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    let log = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        log += chunk;
      });
    }
    let over = '';
    const timer = setTimeout(() => {
      over = KILLED;
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    }, MAX_MS);
    child.once('error', failed);
    child.once('close', (status) => {
      clearTimeout(timer);
      done({ status, log: log + over });
    });
  });
}
