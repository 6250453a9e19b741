/**
 * `npm run test:readme`: the two commands at the top of README.md, word for word, each in a shell of its own in one
 * clean checkout of HEAD, and then docs/getting-started.md from its first command to its last, in an interactive zsh
 * where there is one. `npm test` would run these tests again, so it gets the names of a few files: those that start
 * every real server, which proves that a checkout installs what it needs. `-- --all` runs `npm test` as it is written.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { walk } from './docs/walk.ts';

const FEW = 'test/servers.test.ts test/base';

const isAll = process.argv.includes('--all');
const [block = ''] = /(?<=^```\n)(npm .*?)(?=^```$)/ms.exec(readFileSync('README.md', 'utf8')) ?? [];
const commands = block.split('\n').flatMap((line) => {
  const command = line.replace(/ +#.*/, '');
  return command === '' ? [] : [isAll || !command.endsWith('npm test') ? command : `${command} -- ${FEW}`];
});
if (commands.length !== 2)
  throw new Error(`README.md has ${commands.length} commands at its top, and two are expected`);

// Variables that npm or this checkout has set do not exist for a user who has just cloned the repository.
const own = Object.entries(process.env).filter(
  ([name]) => !/^npm_(?!config_(?:cache|registry)$)|^NODE$|^INIT_CWD$/.test(name),
);
const path = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => !folder.includes('node_modules'));
const env = { ...Object.fromEntries(own), PATH: path.join(delimiter) };

const dir = mkdtempSync(join(tmpdir(), 'pannier-readme-'));
chmodSync(dir, 0o755); // PostgreSQL does not run as root: as another user it must be able to read its binaries here
try {
  run('git', ['clone', '--quiet', '--no-hardlinks', '.', dir], process.cwd());
  for (const command of commands) {
    process.stdout.write(`\n$ ${command}\n`);
    run('sh', ['-e', '-c', command], dir);
  }
  const shell = spawnSync('zsh', ['-c', 'true']).error === undefined ? 'zsh' : 'bash';
  process.stdout.write(`\nThe commands of docs/getting-started.md in an interactive ${shell}\n`);
  process.env['PATH'] = env.PATH;
  const { shown, left } = await walk({ page: 'docs/getting-started.md', checkout: dir }, shell);
  process.stdout.write(shown.join('\n'));
  if (left.some((name) => name !== '.npm')) throw new Error(`the page leaves ${left.join(', ')} in the home directory`);
} finally {
  rmSync(dir, { recursive: true, force: true });
}

function run(program: string, args: readonly string[], cwd: string): void {
  const { status } = spawnSync(program, args, { cwd, env, stdio: 'inherit' });
  if (status !== 0) throw new Error(`${args.at(-1)} ended with ${status}`);
}
