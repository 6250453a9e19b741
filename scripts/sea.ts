import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';

/**
 * `npm run sea [PATH]` makes the executable `build/pannier`, which needs no installed Node: a copy of the Node that
 * runs this script, with the files of dist/ inside. It runs on the operating system and processor that it is made on.
 */
const [out = 'build/pannier'] = process.argv.slice(2);

/**
 * Node searches its own executable for this text.
 * https://nodejs.org/docs/latest-v24.x/api/single-executable-applications.html
 */
const FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';

const run = promisify(execFile);
const work = await mkdtemp(join(tmpdir(), 'pannier-sea-'));
const temporary = `${out}.${process.pid}`;
try {
  await build({
    entryPoints: ['src/cli/sea.ts'],
    outfile: join(work, 'sea.js'),
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node24',
  });

  const files = await readdir('dist');
  const ending = `-${process.version}-${process.arch}.bytecode`;
  const bytecode = files.filter((name) => name.endsWith(ending));
  if (bytecode.length === 0) throw new Error(`dist holds no bytecode of Node ${process.version}: npm run build`);
  const beside = files.filter((name) => (name.endsWith('.js') && name !== 'pannier.js') || name.endsWith('.cjs'));
  const blob = join(work, 'sea.blob');
  const settings = {
    main: 'sea.js', // relative, since the blob has it, and `work` has another name each time
    output: 'sea.blob',
    disableExperimentalSEAWarning: true,
    execArgv: ['--disable-sigusr1'],
    assets: {
      ...Object.fromEntries(bytecode.map((name) => [name.replace(/-.*/, '.bytecode'), resolve('dist', name)])),
      ...Object.fromEntries(beside.map((name) => [name, resolve('dist', name)])),
    },
  };
  await writeFile(join(work, 'sea.json'), JSON.stringify(settings));
  await run(process.execPath, ['--experimental-sea-config', 'sea.json'], { cwd: work });

  await mkdir(dirname(out), { recursive: true });
  await copyFile(process.execPath, temporary);
  await chmod(temporary, 0o755);
  // Symbols are an eighth of the file. They stay where `strip` is not installed.
  await run('strip', [temporary]).catch(() => undefined);
  await run('node_modules/.bin/postject', [temporary, 'NODE_SEA_BLOB', blob, '--sentinel-fuse', FUSE]);
  await rename(temporary, out);
} finally {
  await rm(temporary, { force: true });
  await rm(work, { recursive: true });
}
