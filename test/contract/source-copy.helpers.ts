import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What a program that imports the copy found out about a configuration with a shelf. */
interface Said {
  /** The files that `init` published, by name. */
  readonly files: Readonly<Record<string, string>>;
  /** Keys of a secret in the JSON Schema. */
  readonly fields: readonly string[];
  /** The variables SHELF_ADDRESS and SHELF_TOKEN as a command of the agent gets them. */
  readonly environment: Readonly<Record<string, string>>;
  /** Code and place of the problems of a configuration without a token. */
  readonly problems: readonly string[];
}

const PROGRAM = `
import { readdirSync, readFileSync } from 'node:fs';
import { exportJsonSchema, init, load } from './src/index.ts';
import { commandEnvironment } from './src/process/command-environment.ts';

const [, , dir] = process.argv;
const failures = await init(await load([dir + '/pannier.json']));
if (failures.length > 0) throw new Error(JSON.stringify(failures));
const published = readdirSync(dir + '/o').filter((name) => !name.startsWith('..'));
const files = Object.fromEntries(published.map((name) => [name, readFileSync(dir + '/o/' + name, 'utf8')]));
const schema = await exportJsonSchema();
const fields = Object.keys(schema.properties.secrets.additionalProperties.properties);
const environment = commandEnvironment({ SHELF_ADDRESS: 'kept', SHELF_TOKEN: 'x' }, {});
delete process.env.SHELF_TOKEN;
const problems = await load([dir + '/pannier.json']).then(
  () => [],
  ({ failures: all }) => all.map(({ code, place }) => code + ' ' + place),
);
console.log(JSON.stringify({ files, fields, environment, problems }));
`;

/** A copy of src/ inside the repository, so that it finds the packages; gone when disposed. */
export async function copySource() {
  mkdirSync('build', { recursive: true });
  const root = mkdtempSync(resolve('build/copy-'));
  const src = join(root, 'src');
  cpSync('src', src, { recursive: true });
  writeFileSync(join(root, 'package.json'), JSON.stringify({ type: 'module', version: '0.0.0' }));
  return {
    src,
    /** Runs `init` against a shelf at this address. */
    async run(address: string): Promise<Said> {
      const dir = join(root, 'run');
      mkdirSync(dir);
      const config = {
        version: 1,
        backends: { s: { kind: 'shelf', address } },
        secrets: { app: { book: 'app' } },
        outputs: { o: { dir: './o', files: { f: { content: '{{app.password}}' } } } },
      };
      writeFileSync(join(dir, 'pannier.json'), JSON.stringify(config));
      writeFileSync(join(root, 'program.ts'), PROGRAM);
      const env = { ...process.env, SHELF_TOKEN: 'made-up' };
      const { stdout } = await run(process.execPath, [join(root, 'program.ts'), dir], { env });
      return JSON.parse(stdout) as Said;
    },
    /** @throws with what the compiler says about the copy. */
    async typecheck(): Promise<void> {
      const compilerOptions = { noEmit: true, rootDir: root };
      writeFileSync(
        join(root, 'tsconfig.json'),
        JSON.stringify({ extends: '../../tsconfig.json', compilerOptions, include: ['src'] }),
      );
      const { stdout } = await run('npx', ['tsc', '-p', root]).catch((error: { stdout: string }) => error);
      if (stdout !== '') throw new Error(stdout);
    },
    async [Symbol.asyncDispose]() {
      rmSync(root, { recursive: true });
    },
  };
}

/** Changes the text of a file, or of all files in a folder. */
export function rewrite(path: string, change: (text: string) => string): void {
  if (statSync(path).isDirectory()) for (const name of readdirSync(path)) rewrite(join(path, name), change);
  else writeFileSync(path, change(readFileSync(path, 'utf8')));
}
