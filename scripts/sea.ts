import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';

/**
 * `npm run sea`: `build/pannier` (or the path that is given), one file that needs no Node: the Node that runs this
 * script with what `npm run build` made inside it. For the operating system and the processor it is made on.
 */
const [out = 'build/pannier'] = process.argv.slice(2);

/** What Node looks for in itself: https://nodejs.org/docs/latest-v24.x/api/single-executable-applications.html */
const FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';

const run = promisify(execFile);
const work = await mkdtemp(join(tmpdir(), 'pannier-sea-'));
const unfinished = `${out}.${process.pid}`;
try {
  const main = join(work, 'sea.js');
  await build({
    entryPoints: ['src/cli/sea.ts'],
    outfile: main,
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
  const config = join(work, 'sea.json');
  const blob = join(work, 'sea.blob');
  const settings = {
    main,
    output: blob,
    disableExperimentalSEAWarning: true,
    execArgv: ['--disable-sigusr1'],
    assets: {
      ...Object.fromEntries(bytecode.map((name) => [name.replace(/-.*/, '.bytecode'), resolve('dist', name)])),
      ...Object.fromEntries(beside.map((name) => [name, resolve('dist', name)])),
    },
  };
  await writeFile(config, JSON.stringify(settings));
  await run(process.execPath, ['--experimental-sea-config', config]);

  await mkdir(dirname(out), { recursive: true });
  await copyFile(process.execPath, unfinished);
  await chmod(unfinished, 0o755);
  await run('strip', [unfinished]).catch(() => undefined); // an eighth of it is symbols; without the tool they stay
  await run('node_modules/.bin/postject', [unfinished, 'NODE_SEA_BLOB', blob, '--sentinel-fuse', FUSE]);
  await rename(unfinished, out);
} finally {
  await rm(unfinished, { force: true });
  await rm(work, { recursive: true });
}
