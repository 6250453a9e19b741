import { execFileSync } from 'node:child_process';
import { chmod, copyFile, lutimes, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type BillOfMaterials, program as component } from './sbom.ts';

/**
 * `npm run image-files [FOLDER] [PROGRAM]` fills the folder `build/image` with the files that the image adds to its
 * base. They get the time SOURCE_DATE_EPOCH (in seconds; 0 when absent), so that the same files give the same image.
 */
const [root = 'build/image', program = 'build/pannier'] = process.argv.slice(2);
const NODE_LICENCE = `node_modules/node/node_modules/node-${process.platform}-${process.arch}/LICENSE`;

/** Programs by their path in the image. Debian's `tini-static` needs no library of the base. */
const PROGRAMS = { 'usr/bin/pannier': program, 'usr/bin/tini': '/usr/bin/tini-static' };
const NOTICES = {
  'usr/share/doc/pannier/LICENSE': 'LICENSE',
  'usr/share/doc/pannier/third-party.txt': 'dist/third-party.txt',
  'usr/share/doc/pannier/node.txt': NODE_LICENCE,
  'usr/share/doc/pannier/tini.txt': '/usr/share/doc/tini/copyright',
};

/** How to get a source that is missing; for all others, `npm run sea`. */
const REMEDIES: Readonly<Record<string, string>> = {
  '/usr/bin/tini-static': 'install tini, a package of Debian',
  [NODE_LICENCE]: 'npm rebuild node restores it after an npm install',
};

await rm(root, { recursive: true, force: true });
for (const [files, mode] of [
  [PROGRAMS, 0o755],
  [NOTICES, 0o644],
] as const) {
  for (const [name, source] of Object.entries(files)) {
    const target = join(root, name);
    await mkdir(dirname(target), { recursive: true, mode: 0o755 });
    await copyFile(source, target).catch(() => {
      throw new Error(`${source} is missing: ${REMEDIES[source] ?? 'npm run sea'}`);
    });
    await chmod(target, mode);
  }
}
// The bundle's bill of materials, with the two programs around it.
const materials = JSON.parse(await readFile('dist/sbom.cdx.json', 'utf8')) as BillOfMaterials;
const tini = /version (\S+)/.exec(execFileSync('/usr/bin/tini-static', ['--version'], { encoding: 'utf8' }))?.[1] ?? '';
const around = [component('node', process.versions.node, 'MIT'), component('tini', tini, 'MIT')];
const bill = join(root, 'usr/share/doc/pannier/sbom.cdx.json');
const whole = { ...materials, components: [...materials.components, ...around] };
await writeFile(bill, `${JSON.stringify(whole, null, 1)}\n`, { mode: 0o644 });
const seconds = Number(process.env['SOURCE_DATE_EPOCH'] ?? 0);
for (const name of ['.', ...(await readdir(root, { recursive: true }))]) {
  await lutimes(join(root, name), seconds, seconds);
}
