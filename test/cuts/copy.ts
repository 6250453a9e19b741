import { execFileSync, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { TestName } from '../promises/promise.ts';

/** A copy of the work tree in which code may be broken. */
export interface Copy extends AsyncDisposable {
  readonly dir: string;
  /** Changes a file; returns a function that undoes the change. */
  change(file: string, by: (text: string) => string): () => void;
}

/** Copies the files that git tracks or would add, and links node_modules and the cache of test servers. */
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
  /** Full names of the tests that failed. */
  readonly failed: readonly string[];
  /** The end of the output. */
  readonly log: string;
}

/** A run that takes longer is ended, and counts as a failed test. */
const MAX_MS = 240_000;
const KILLED = 'killed: it took too long';

/** Runs these tests of one file in the copy. For tests that start the built agent, it is built there first. */
export async function runTests({ dir }: Copy, file: string, tests: readonly TestName[]): Promise<Ran> {
  if (/^test\/(system|docs|ship)\//.test(file)) {
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

/** A pattern for the titles of a test: `%s` and the like match anything, the first of them the row that is meant. */
function patternOf({ title, row }: TestName): string {
  const [first = '', ...more] = title.split(/%[a-z#]|\$\w+/).map(escaped);
  if (more.length === 0) return `^${first}$`;
  const meant = row === undefined ? '.*' : `.*${escaped(row)}.*`;
  return `^${first}${meant}${more.join('.*')}$`;
}

/** vitest joins the titles of a name by ` > `, and the promises join them by a space. */
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

/** Runs Node with these arguments; after `MAX_MS` its process group is killed. */
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
