/** Runs the programs that read dotenv files. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { jsonLines, npmPackage, pythonPackage, run, whatIsHere, withPaths } from './installed.helpers.ts';

const PYTHON_DOTENV = '1.2.4';
const NPM_DOTENV = '18.0.10';

/** Variables by name. */
type Variables = Readonly<Record<string, string | null>>;

/** One program. Every file sets the variables `A`, `V` and `B`; a reader may leave out all others. */
export interface Reader {
  readonly name: string;
  read(files: readonly string[]): Promise<readonly Variables[]>;
}

/** The system's `sh`, by `. ./file`. */
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

/** Node, by `util.parseEnv`, which reads the files of `--env-file`. */
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
        return jsonLines<Variables>(stdout);
      }),
  };
}

/** The readers that this machine has or could install; `missing` says why others could not be installed. */
export async function dotenvReaders(): Promise<{ readers: readonly Reader[]; missing: readonly string[] }> {
  const { here, missing } = await whatIsHere({
    sh: async () => sh,
    node: async () => node,
    dotenv: async () => npmDotenv(await npmPackage('dotenv', NPM_DOTENV)),
    'python-dotenv': async () => pythonDotenv(await pythonPackage('python-dotenv', PYTHON_DOTENV)),
  });
  return { readers: here, missing };
}
