import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const page = readFileSync('docs/architecture.md', 'utf8');
const folders = readdirSync('src', { withFileTypes: true }).flatMap((entry) =>
  entry.isDirectory() ? [entry.name] : [],
);

describe('docs/architecture.md', () => {
  it('has a row for every folder of src, and for the folders below that it shows', () => {
    const rows = [...page.matchAll(/^\| `([\w/]+)\/` \|/gm)].map(([, folder = '']) => folder);
    expect(folders.filter((folder) => !rows.includes(folder))).toEqual([]);
    expect(rows.filter((folder) => !existsSync(join('src', folder)))).toEqual([]);
    const shown = rows.filter((folder) => rows.some((row) => row.startsWith(`${folder}/`)));
    const below = shown.flatMap((folder) =>
      readdirSync(join('src', folder), { withFileTypes: true }).flatMap((entry) =>
        entry.isDirectory() ? [`${folder}/${entry.name}`] : [],
      ),
    );
    expect(below.filter((folder) => !rows.includes(folder))).toEqual([]);
  });

  it('draws the imports between folders: each arrow is one, and the arrows imply all others', () => {
    const [, diagram = ''] = /flowchart TB\n(.*?)```/s.exec(page) ?? [];
    const arrows = diagram.split('\n').flatMap((line) => {
      const [from = '', to = ''] = line.trim().split(' --> ');
      return to === '' ? [] : to.split(' & ').map((one) => `${from} → ${one}`);
    });
    const imports = importsBetweenFolders();
    expect(arrows.filter((arrow) => !imports.has(arrow))).toEqual([]);
    expect([...imports].filter((one) => !reach(arrows).has(one))).toEqual([]);
  });

  it.each(['docs/architecture.md', 'CONTRIBUTING.md'])('%s names only files that exist', (name) => {
    const named = [...readFileSync(name, 'utf8').matchAll(/`((?:src|test|docs|scripts)\/[\w./-]+)`/g)];
    expect(named.length).toBeGreaterThan(15);
    expect(named.map(([, path = '']) => path).filter((path) => !existsSync(path))).toEqual([]);
  });
});

function importsBetweenFolders(): ReadonlySet<string> {
  const found = globSync('src/*/**/*.ts').flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/from '(\.[^']+)'|import\('(\.[^']+)'\)/g)].map(([, from, dynamic]) =>
      [file, relative('.', resolve(dirname(file), (from ?? dynamic) as string))].map((path) => path.split('/')[1]),
    ),
  );
  return new Set(found.flatMap(([from, to = '']) => (from === to || !folders.includes(to) ? [] : [`${from} → ${to}`])));
}

/** The arrows and all that follow from them. */
function reach(arrows: readonly string[]): ReadonlySet<string> {
  const pairs = new Set(arrows);
  for (const middle of folders)
    for (const from of folders)
      for (const to of folders)
        if (pairs.has(`${from} → ${middle}`) && pairs.has(`${middle} → ${to}`)) pairs.add(`${from} → ${to}`);
  return pairs;
}
