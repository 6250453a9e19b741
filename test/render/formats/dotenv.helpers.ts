/** Runs the programs that read dotenv files. */
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { cacheDir } from '../../servers/cache.ts';
import { install, jsonLines, npmPackage, pythonPackage, run, whatIsHere, withPaths } from './installed.helpers.ts';

const PYTHON_DOTENV = '1.2.4';
const COMPOSE_GO = 'v2.16.2';
const KUBERNETES = 'v1.37.0';
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

/** The package of Docker Compose that reads `env_file`, in a program that is built of its module with the Go here. */
async function compose(): Promise<Reader> {
  const dir = join(cacheDir, `compose-go-${COMPOSE_GO}`);
  await install(dir, async (to) => {
    await mkdir(to, { recursive: true });
    await writeFile(join(to, 'main.go'), COMPOSE_PROGRAM);
    const go = (...args: readonly string[]) => run('go', [...args], { cwd: to });
    await go('mod', 'init', 'reader');
    await go('get', `github.com/compose-spec/compose-go/v2/dotenv@${COMPOSE_GO}`);
    await go('build', '-o', 'reader', '.');
  });
  return {
    name: 'compose',
    read: (files) =>
      withPaths(files, async (paths) => {
        const { stdout } = await run(join(dir, 'reader'), [...paths], { maxBuffer: 1 << 28 });
        return jsonLines<Variables>(stdout);
      }),
  };
}

const COMPOSE_PROGRAM = `package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/compose-spec/compose-go/v2/dotenv"
)

func main() {
	for _, path := range os.Args[1:] {
		variables, err := dotenv.Read(path)
		if err != nil {
			variables = map[string]string{"error": err.Error()}
		}
		line, _ := json.Marshal(variables)
		fmt.Println(string(line))
	}
}
`;

/** The package of the kubelet that reads files for `fileKeyRef`, which needs nothing but Go's own library. */
async function kubelet(): Promise<Reader> {
  const dir = join(cacheDir, `kubelet-env-${KUBERNETES}`);
  await install(dir, async (to) => {
    await mkdir(join(to, 'env'), { recursive: true });
    await writeFile(join(to, 'main.go'), KUBELET_PROGRAM);
    const { stdout } = await run('go', ['mod', 'download', '-json', `k8s.io/kubernetes@${KUBERNETES}`]);
    const { Dir } = JSON.parse(stdout) as { Dir: string };
    await copyFile(join(Dir, 'pkg/kubelet/util/env/env_util.go'), join(to, 'env/env.go'));
    await run('go', ['mod', 'init', 'reader'], { cwd: to });
    await run('go', ['build', '-o', 'reader', '.'], { cwd: to });
  });
  return {
    name: 'kubelet',
    read: (files) =>
      withPaths(files, async (paths) => {
        const { stdout } = await run(join(dir, 'reader'), [...paths], { maxBuffer: 1 << 28 });
        return jsonLines<Variables>(stdout);
      }),
  };
}

const KUBELET_PROGRAM = `package main

import (
	"encoding/json"
	"fmt"
	"os"

	"reader/env"
)

func main() {
	for _, path := range os.Args[1:] {
		variables := map[string]string{}
		for _, key := range []string{"A", "V", "B"} {
			value, err := env.ParseEnv(path, key)
			if err != nil {
				variables = map[string]string{"error": err.Error()}
				break
			}
			variables[key] = value
		}
		line, _ := json.Marshal(variables)
		fmt.Println(string(line))
	}
}
`;

/** A strict reading of systemd.exec(5) and of what systemd drops: every line is `NAME=` and one quoted text. */
const systemd: Reader = { name: 'systemd', read: async (files) => files.map(readEnvironmentFile) };

const ASSIGNMENT = /([A-Za-z_]\w*)=(?:"((?:[^"\\]|\\.)*)"|'([^']*)')\n/sy;

function readEnvironmentFile(file: string): Variables {
  const variables: Record<string, string> = {};
  ASSIGNMENT.lastIndex = 0;
  while (ASSIGNMENT.lastIndex < file.length) {
    const at = ASSIGNMENT.lastIndex;
    const [, name, double, single] = ASSIGNMENT.exec(file) ?? [];
    if (name === undefined) return { error: `nothing that is read at ${at}` };
    // A backslash is kept before all but these, and a line that ends with one goes on in the next.
    const value = single ?? (double as string).replace(/\\(["\\`$])|\\\n/g, '$1');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: systemd drops these
    if (!/[\0-\x08\x0b-\x1f\x7f\p{Noncharacter_Code_Point}\p{Cs}]/u.test(value)) variables[name] = value;
  }
  return variables;
}

/** The readers of the default, which all read the same file. */
const COMMON = {
  sh: async () => sh,
  node: async () => node,
  systemd: async () => systemd,
  compose,
  dotenv: async () => npmDotenv(await npmPackage('dotenv', NPM_DOTENV)),
  'python-dotenv': async () => pythonDotenv(await pythonPackage('python-dotenv', PYTHON_DOTENV)),
};

/** The readers that this machine has or could install; `missing` says why others could not be installed. */
interface Readers {
  readonly readers: readonly Reader[];
  readonly missing: readonly string[];
}

/** The programs that read what is written without `for`. */
export async function dotenvReaders(): Promise<Readers> {
  const { here, missing } = await whatIsHere(COMMON);
  return { readers: here, missing };
}

/** All programs that `for` can name. */
export async function namedReaders(): Promise<Readers> {
  const { here, missing } = await whatIsHere({ ...COMMON, kubelet });
  return { readers: here, missing };
}
