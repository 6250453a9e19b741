/** The programs that read dotenv files, for real: the same file goes through each. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv, promisify } from 'node:util';
import { cacheDir } from '../../servers/cache.ts';

const run = promisify(execFile);

const PYTHON_DOTENV = '1.2.4';
const NPM_DOTENV = '18.0.10';

/** Variables by name. */
type Variables = Readonly<Record<string, string | null>>;

/** One program. Files are told apart by their variables `A`, `V` and `B`; a reader may give no others. */
export interface Reader {
  readonly name: string;
  read(files: readonly string[]): Promise<readonly Variables[]>;
}

/** `. ./file` of the system's `sh`. */
const sh: Reader = {
  name: 'sh',
  async read(files) {
    const script = `for f do (. "$f"; printf '%s\\0' "\${A-}" "\${V-}" "\${B-}"); done`;
    return withPaths(files, async (paths) => {
      const options = { env: { PATH: '/usr/bin:/bin', HOME: '/home/of/the/test' }, maxBuffer: 1 << 28 };
      const { stdout } = await run('sh', ['-eu', '-c', script, 'sh', ...paths], options);
      const values = stdout.split('\0');
      return files.map((_, i) => ({ A: values[3 * i] ?? '', V: values[3 * i + 1] ?? '', B: values[3 * i + 2] ?? '' }));
    });
  },
};

/** `util.parseEnv`, which is `--env-file`. */
const node: Reader = { name: 'node', read: async (files) => files.map((text) => parseEnv(text) as Variables) };

function npmDotenv(dir: string): Reader {
  const { parse } = createRequire(join(dir, 'x.js'))('dotenv') as { parse(text: string): Variables };
  return { name: 'dotenv', read: async (files) => files.map((text) => parse(text)) };
}

function pythonDotenv(dir: string): Reader {
  const script = `import sys, json
sys.path.insert(0, sys.argv[1])
import dotenv
for path in sys.argv[2:]: print(json.dumps(dotenv.dotenv_values(path)))`;
  return {
    name: 'python-dotenv',
    read: (files) =>
      withPaths(files, async (paths) => {
        const { stdout } = await run('python3', ['-c', script, dir, ...paths], { maxBuffer: 1 << 28 });
        return lines(stdout);
      }),
  };
}

/** Those that are always here, and those that were installed into the cache; `missing` says why one is not. */
export async function dotenvReaders(): Promise<{ readers: readonly Reader[]; missing: readonly string[] }> {
  const readers = [sh, node];
  const missing: string[] = [];
  const npm = join(cacheDir, `dotenv-${NPM_DOTENV}`);
  const python = join(cacheDir, `python-dotenv-${PYTHON_DOTENV}`);
  await install(npm, (to) => run('npm', ['install', '--silent', '--no-save', '--prefix', to, `dotenv@${NPM_DOTENV}`]))
    .then(() => readers.push(npmDotenv(npm)))
    .catch((error: Error) => missing.push(`dotenv ${NPM_DOTENV}: ${error.message}`));
  await install(python, (to) =>
    run('python3', ['-m', 'pip', 'install', '--quiet', '--no-deps', '--target', to, `python-dotenv==${PYTHON_DOTENV}`]),
  )
    .then(() => readers.push(pythonDotenv(python)))
    .catch((error: Error) => missing.push(`python-dotenv ${PYTHON_DOTENV}: ${error.message}`));
  return { readers, missing };
}

/** Fills a directory beside and moves it there, so that it is never seen half full. */
async function install(dir: string, fill: (to: string) => Promise<unknown>): Promise<void> {
  if (existsSync(dir)) return;
  const work = `${dir}.${process.pid}`;
  try {
    await fill(work);
    await rename(work, dir).catch((error: unknown) => {
      if (!existsSync(dir)) throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function withPaths<T>(files: readonly string[], use: (paths: readonly string[]) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(join(tmpdir(), 'pannier-dotenv-'));
  try {
    const paths = files.map((_, i) => join(dir, `${i}.env`));
    for (const [i, text] of files.entries()) await writeFile(paths[i] as string, text);
    return await use(paths);
  } finally {
    await rm(dir, { recursive: true });
  }
}

const lines = (stdout: string): Variables[] =>
  stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Variables);
