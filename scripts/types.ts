import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';

/** Writes `dist/types`: the declarations of src/index.ts and of the files that it imports, and no others. */
const all = mkdtempSync(join(tmpdir(), 'pannier-types-'));
try {
  const config = join(all, 'tsconfig.json');
  writeFileSync(
    config,
    JSON.stringify({
      extends: resolve('tsconfig.json'),
      compilerOptions: {
        noEmit: false,
        declaration: true,
        emitDeclarationOnly: true,
        removeComments: false,
        rootDir: resolve('src'),
        outDir: join(all, 'types'),
        typeRoots: [resolve('node_modules/@types')],
      },
      include: [resolve('src')],
    }),
  );
  const { status } = spawnSync('tsc', ['-p', config], { stdio: 'inherit' });
  if (status !== 0) throw new Error('tsc made no declarations');
  rmSync('dist/types', { recursive: true, force: true });
  for (const file of reachable(join(all, 'types/index.d.ts'))) {
    const target = join('dist/types', relative(join(all, 'types'), file));
    mkdirSync(dirname(target), { recursive: true });
    cpSync(file, target);
  }
  // dist/package.json says CommonJS; these declarations describe an ES module.
  writeFileSync('dist/types/package.json', '{"type":"module"}\n');
} finally {
  rmSync(all, { recursive: true });
}

/** A declaration file and all files that it imports, directly or not. */
function reachable(from: string, found = new Set<string>()): ReadonlySet<string> {
  if (found.has(from)) return found;
  found.add(from);
  for (const [, path = ''] of readFileSync(from, 'utf8').matchAll(/(?:from |import\()["'](\.[^"']+)\.ts["']/g)) {
    reachable(join(dirname(from), `${path}.d.ts`), found);
  }
  return found;
}
